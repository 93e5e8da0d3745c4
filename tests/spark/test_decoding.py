import contextlib
import io
import pickle
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, features

from spark_assets.features.feature_model import IMAGE_SIZES_PX
from spark_assets.images.decoding import FORMATS, decode_image, decode_upright
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from tests.spark.images import HEIC, encode, picture, with_orientation

LIMITS = ImageLimits()


def decode(content: bytes, size_px: int = 64) -> np.ndarray:
    return decode_image(content, size_px=size_px, limits=LIMITS).pixels


def plain(image: Image.Image, size_px: int = 64) -> np.ndarray:
    """What Keras' load_img does with an image in memory."""
    return np.asarray(image.convert("RGB").resize((size_px, size_px), Image.Resampling.BICUBIC))


def refusal(content: bytes, limits: ImageLimits = LIMITS) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        decode_image(content, size_px=64, limits=limits)
    return caught.value


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "PPM", "TIFF", "JPEG2000"])
def test_lossless_formats_give_exactly_the_plain_pixels(file_format):
    image = picture()
    options = {"irreversible": False} if file_format == "JPEG2000" else {}
    np.testing.assert_array_equal(decode(encode(image, file_format, **options)), plain(image))


def test_webp_gives_exactly_the_plain_pixels():
    np.testing.assert_array_equal(
        decode(encode(picture(), "WEBP", lossless=True)), plain(picture())
    )


def test_a_small_jpeg_gives_exactly_what_pillow_decodes():
    content = encode(picture(100, 100), "JPEG", quality=90)
    np.testing.assert_array_equal(decode(content), plain(Image.open(io.BytesIO(content))))


def test_every_format_of_the_closed_list_is_supported_by_this_installation():
    assert features.check("avif")
    assert set(FORMATS) <= set(Image.OPEN)


def test_a_phone_photograph_in_heic_is_decoded():
    found = decode_image(HEIC, size_px=64, limits=LIMITS)
    assert (found.width, found.height) == (64, 48)
    left, right = found.pixels[32, 8].astype(int), found.pixels[32, 56].astype(int)
    assert left[1] > left[0] + 80
    assert right[0] > right[1] + 80


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_gives_the_upright_picture(orientation):
    upright = picture(90, 60)
    found = decode_image(with_orientation(upright, orientation), size_px=64, limits=LIMITS)
    np.testing.assert_array_equal(found.pixels, plain(upright))
    assert (found.width, found.height) == (90, 60)


def test_damaged_exif_data_counts_as_upright():
    content = encode(picture(), "JPEG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\xff\x00\x01")
    np.testing.assert_array_equal(
        decode(content), plain(Image.open(io.BytesIO(encode(picture(), "JPEG"))))
    )


def test_transparent_pixels_are_white_whatever_colour_they_hide():
    hidden = np.zeros((40, 40, 4), np.uint8)
    hidden[..., 0] = 255
    np.testing.assert_array_equal(decode(encode(Image.fromarray(hidden), "PNG")), 255)


def test_half_transparent_pixels_are_half_white():
    half = Image.new("RGBA", (10, 10), (0, 0, 0, 128))
    assert abs(int(decode(encode(half, "PNG"))[0, 0, 0]) - 127) <= 1


def test_a_transparent_palette_colour_is_white():
    palette = Image.new("P", (10, 10), 3)
    palette.putpalette([200, 10, 10] * 256)
    np.testing.assert_array_equal(decode(encode(palette, "PNG", transparency=3)), 255)


@pytest.mark.parametrize("mode", ["L", "1", "P", "CMYK"])
def test_other_modes_become_rgb_as_pillow_converts_them(mode):
    image = picture().convert(mode)
    content = encode(image, "TIFF")
    np.testing.assert_array_equal(decode(content), plain(Image.open(io.BytesIO(content))))


def test_sixteen_bit_grey_keeps_its_high_byte():
    deep = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    expected = np.repeat((deep >> 8).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    np.testing.assert_array_equal(decode(encode(Image.fromarray(deep), "PNG")), expected)


def test_an_animation_gives_its_first_frame():
    first, second = picture(seed=1), picture(seed=2)
    content = encode(first, "GIF", save_all=True, append_images=[second])
    alone = encode(first, "GIF")
    np.testing.assert_array_equal(decode(content), decode(alone))


@pytest.mark.parametrize(
    ("side_px", "reduced_px"), [(896, 448), (1799, 450), (3584, 896), (4001, 1001), (7168, 1792)]
)
def test_a_large_jpeg_is_decoded_at_a_quarter_and_no_less_than_twice_the_target(
    side_px, reduced_px
):
    content = encode(picture(side_px, side_px), "JPEG")
    upright = decode_upright(content, target_px=224, limits=LIMITS)
    assert min(upright.image.size) == reduced_px >= 2 * 224
    assert (upright.width, upright.height) == (side_px, side_px)


@pytest.fixture(scope="module")
def phone_photograph() -> bytes:
    return encode(picture(4032, 3024), "JPEG")


@pytest.mark.parametrize("target_px", IMAGE_SIZES_PX)
def test_no_target_is_reached_from_less_than_twice_its_size(target_px, phone_photograph):
    """12 megapixels keep 756 of 3024 pixels at 1/4: enough for 352, and not for 384."""
    upright = decode_upright(phone_photograph, target_px=target_px, limits=LIMITS)
    assert min(upright.image.size) == (756 if target_px <= 352 else 1512)
    assert min(upright.image.size) >= 2 * target_px


def test_the_shorter_side_decides_at_what_scale_a_jpeg_is_decoded():
    upright = decode_upright(encode(picture(4000, 900), "JPEG"), target_px=224, limits=LIMITS)
    assert upright.image.size == (2000, 450)


def test_a_jpeg_below_four_times_the_target_is_decoded_in_full():
    content = encode(picture(895, 895), "JPEG")
    upright = decode_upright(content, target_px=224, limits=LIMITS)
    assert upright.image.size == (895, 895)
    np.testing.assert_array_equal(decode(content, 224), plain(Image.open(io.BytesIO(content)), 224))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_lies_where_the_full_one_does(orientation):
    """The reduced scale of 857 x 649 pixels begins columns and rows that the original lacks."""
    upright = picture(857, 649, seed=3)
    content = with_orientation(upright, orientation, "JPEG", quality=95)
    found = decode_image(content, size_px=48, limits=LIMITS)
    assert (found.width, found.height) == (857, 649)
    difference = found.pixels.astype(int) - plain(upright, 48)
    assert np.abs(difference).mean() < 0.5  # 3 to 4 where they are resized with the rest


def test_an_empty_image_is_rejected_as_empty():
    assert refusal(b"").reason is Reason.EMPTY


@pytest.mark.parametrize(
    "content", [b"not a photograph at all", b"\x00" * 100, b"%!PS-Adobe-3.0 EPSF-3.0\n", b"GIF"]
)
def test_what_is_no_image_is_rejected_as_such(content):
    assert refusal(content).reason is Reason.NOT_AN_IMAGE


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "JPEG2000"])
@pytest.mark.parametrize("share", [0.02, 0.3, 0.7])
def test_a_cut_image_is_rejected_as_truncated(file_format, share):
    content = encode(picture(300, 200), file_format)
    assert refusal(content[: max(16, int(len(content) * share))]).reason is Reason.TRUNCATED


def png_chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png_that_claims(width: int, height: int) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100))
    return b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + png_chunk(b"IDAT", pixels)


def test_a_decompression_bomb_is_too_large_without_being_decoded():
    rejected = refusal(png_that_claims(50_000, 50_000))
    assert rejected.reason is Reason.TOO_LARGE
    assert "50000 x 50000" in rejected.detail


def test_the_limits_are_options():
    content = encode(picture(200, 100), "PNG")
    assert refusal(content, ImageLimits(max_megapixels=0.01)).reason is Reason.TOO_LARGE
    assert refusal(content, ImageLimits(max_bytes=100)).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF", "GIF", "BMP", "JPEG2000"])
def test_damaged_bytes_are_rejected_or_decoded_and_never_anything_else(file_format):
    content = encode(picture(64, 48), file_format)
    generator = np.random.default_rng(7)
    for _ in range(150):
        damaged = bytearray(content)
        for position in generator.integers(0, len(damaged), 6):
            damaged[position] = generator.integers(0, 256)
        # Whatever else is raised fails the test.
        with contextlib.suppress(ImageRejected):
            assert decode(bytes(damaged)).shape == (64, 64, 3)


def test_the_detail_is_one_printable_line_of_bounded_length():
    rejected = ImageRejected(Reason.TRUNCATED, "two\nlines\x1b[31m and " + "more " * 100)
    assert rejected.detail.isprintable()
    assert len(rejected.detail) <= 200


def test_a_rejection_survives_the_way_between_processes():
    sent = pickle.loads(pickle.dumps(ImageRejected(Reason.EMPTY, "0 bytes")))
    assert (sent.reason, sent.detail) == (Reason.EMPTY, "0 bytes")
