"""Every orientation in every format that can carry one, held against Pillow's `exif_transpose`."""

import io
import struct
import warnings
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from spark_assets.images.decoding import FORMATS, decode_image, decode_upright, prepare_pillow
from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import thumbnail_jpeg
from tests.spark.heif import heif
from tests.spark.images import encode, picture, stored_as

LIMITS = ImageLimits()
UPRIGHT = picture(90, 60)
# Every decoder here is exact, or gives the same of the same stored pixels.
EXACT = ("BMP", "PNG", "TIFF", "GIF", "WEBP")


def exif_of(orientation: object) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    return exif.tobytes()


def xmp_of(orientation: object) -> bytes:
    return (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description '
        b'tiff:Orientation="%s"/></rdf:RDF></x:xmpmeta>' % str(orientation).encode()
    )


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_with(chunk: bytes, image: Image.Image) -> bytes:
    """Return a PNG with a chunk after its pixels, as editors add it."""
    content = encode(image, "PNG")
    end = png_chunk(b"IEND", b"")
    return content.removesuffix(end) + chunk + end


def png_with_late_exif(image: Image.Image, orientation: object) -> bytes:
    exif = exif_of(orientation).removeprefix(b"Exif\x00\x00")
    return png_with(png_chunk(b"eXIf", exif), image)


def png_with_late_xmp(image: Image.Image, orientation: object) -> bytes:
    text = b"XML:com.adobe.xmp\0\0\0\0\0" + xmp_of(orientation)
    return png_with(png_chunk(b"iTXt", text), image)


def png_with_raw_profile(image: Image.Image, orientation: object) -> bytes:
    """As ImageMagick writes EXIF."""
    exif = exif_of(orientation)
    profile = f"\nexif\n{len(exif):8}\n{exif.hex()}\n".encode()
    return png_with(png_chunk(b"tEXt", b"Raw profile type exif\0" + profile), image)


def tiff_with_xmp(image: Image.Image, orientation: object) -> bytes:
    return encode(image, "TIFF", tiffinfo={700: xmp_of(orientation)})


def with_exif(file_format: str, **options: object) -> Callable[[Image.Image, object], bytes]:
    return lambda image, orientation: encode(
        image, file_format, exif=exif_of(orientation), **options
    )


def with_xmp(file_format: str, **options: object) -> Callable[[Image.Image, object], bytes]:
    return lambda image, orientation: encode(image, file_format, xmp=xmp_of(orientation), **options)


WRITERS: dict[str, Callable[[Image.Image, object], bytes]] = {
    "JPEG EXIF": with_exif("JPEG"),
    "JPEG XMP": with_xmp("JPEG"),
    "MPO EXIF": with_exif("MPO", save_all=True, append_images=[picture(30, 20)]),
    "PNG EXIF": with_exif("PNG"),
    "PNG EXIF after the pixels": png_with_late_exif,
    "PNG XMP after the pixels": png_with_late_xmp,
    "PNG raw profile": png_with_raw_profile,
    "TIFF raw": with_exif("TIFF"),
    "TIFF of libtiff": with_exif("TIFF", compression="tiff_lzw"),
    "TIFF big": with_exif("TIFF", big_tiff=True),
    "TIFF of two pages": with_exif("TIFF", save_all=True, append_images=[picture(30, 20)]),
    "TIFF XMP": tiff_with_xmp,
    "WEBP EXIF": with_exif("WEBP", lossless=True),
    "WEBP XMP": with_xmp("WEBP", lossless=True),
    "AVIF EXIF": with_exif("AVIF"),
    "AVIF XMP": with_xmp("AVIF"),
}
# The tag says 6 and is not to be heard: HEIF turns the picture by a property of its own.
HEIF = {n: heif(orientation=n, exif=exif_of(6)) for n in range(1, 9)}


def expected(content: bytes) -> Image.Image:
    prepare_pillow()  # the decoder of HEIF
    with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=FORMATS) as image:
        warnings.simplefilter("ignore")
        return ImageOps.exif_transpose(image).convert("RGB")


def assert_as_pillow_has_it(content: bytes) -> None:
    right = expected(content)
    found = decode_upright(content, target_px=64, limits=LIMITS)
    assert (found.width, found.height) == found.image.size == right.size
    np.testing.assert_array_equal(np.asarray(found.image), np.asarray(right))
    small = decode_image(content, size_px=32, limits=LIMITS)
    resized = right.resize((32, 32), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(small.pixels, np.asarray(resized))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("writer", WRITERS)
def test_every_orientation_of_every_format_is_applied_once(writer, orientation):
    content = WRITERS[writer](stored_as(UPRIGHT, orientation), orientation)
    assert_as_pillow_has_it(content)
    found = decode_upright(content, target_px=64, limits=LIMITS)
    assert (found.width, found.height) == UPRIGHT.size
    difference = np.asarray(found.image).astype(int) - np.asarray(UPRIGHT)
    assert np.abs(difference).mean() < (0.5 if writer.startswith(EXACT) else 6)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_heif_is_turned_by_its_own_property_and_not_by_exif_again(orientation):
    """64 x 48 as stored, green on the left and red on the right."""
    assert_as_pillow_has_it(HEIF[orientation])
    shown = np.asarray(stored_as(expected(HEIF[1]), _UNDONE_BY.get(orientation, orientation)))
    found = decode_upright(HEIF[orientation], target_px=64, limits=LIMITS)
    np.testing.assert_array_equal(np.asarray(found.image), shown)


# `stored_as` undoes an orientation; of the quarter turns one undoes the other.
_UNDONE_BY = {6: 8, 8: 6}


@pytest.mark.parametrize("value", [0, 9, 255, 65535])
@pytest.mark.parametrize("writer", ["JPEG EXIF", "PNG EXIF", "WEBP EXIF", "TIFF raw", "TIFF XMP"])
def test_a_number_that_is_no_orientation_counts_as_pillow_counts_it(writer, value):
    assert_as_pillow_has_it(WRITERS[writer](UPRIGHT, value))


@pytest.mark.parametrize(
    ("kind", "count", "value"),
    [
        pytest.param(1, 1, b"\x06\0\0\0", id="a byte"),
        pytest.param(2, 2, b"6\0\0\0", id="text"),
        pytest.param(3, 2, b"\x06\0\x06\0", id="two numbers"),
        pytest.param(4, 1, b"\x06\0\0\0", id="a long number"),
        pytest.param(3, 0, b"\x06\0\0\0", id="none"),
        pytest.param(7, 1, b"\x06\0\0\0", id="undefined"),
    ],
)
def test_an_orientation_of_another_type_counts_as_pillow_counts_it(kind, count, value):
    entry = struct.pack("<HHI4s", ExifTags.Base.Orientation, kind, count, value)
    tiff = b"II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    assert_as_pillow_has_it(encode(UPRIGHT, "JPEG", exif=b"Exif\0\0" + tiff))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_thumbnail_of_a_tiff_is_upright(orientation):
    content = WRITERS["TIFF raw"](stored_as(UPRIGHT, orientation), orientation)
    with Image.open(io.BytesIO(thumbnail_jpeg(content, LIMITS))) as thumbnail:
        difference = np.asarray(thumbnail).astype(int) - np.asarray(UPRIGHT)
    assert np.abs(difference).mean() < 6
