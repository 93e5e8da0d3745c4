"""Which of several pictures in a file is the photograph."""

import contextlib
import io
import struct

import numpy as np
import pytest
from PIL import ExifTags, Image, TiffImagePlugin

from spark_assets.images.decoding import decode_image, decode_upright
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.images.tiff_pages import MAX_PAGES
from tests.spark.heif import heif
from tests.spark.images import encode, picture, stored_as

NEW_SUBFILE_TYPE, SUBFILE_TYPE, SUB_IFDS, PHOTOMETRIC = 254, 255, 330, 262
FULL = picture(400, 300, seed=1)
THUMBNAIL = picture(160, 120, seed=2)
MASK = Image.new("1", (400, 300), 1)
REDUCED = {NEW_SUBFILE_TYPE: 1}


def tiff(*pages: tuple[Image.Image, dict[int, int]], **options: object) -> bytes:
    """Return a TIFF with the given tags on each page."""
    content = io.BytesIO()
    with TiffImagePlugin.AppendingTiffWriter(content) as writer:
        for image, tags in pages:
            image.save(writer, "TIFF", tiffinfo=tags, **options)
            writer.newFrame()
    return content.getvalue()


def found(content: bytes) -> Image.Image:
    upright = decode_upright(content, target_px=400, limits=ImageLimits())
    assert (upright.width, upright.height) == upright.image.size
    return upright.image


def refusal(content: bytes) -> ImageRejected:
    with pytest.raises(ImageRejected) as caught:
        decode_image(content, size_px=64, limits=ImageLimits())
    return caught.value


def assert_is(image: Image.Image, right: Image.Image) -> None:
    np.testing.assert_array_equal(np.asarray(image), np.asarray(right.convert("RGB")))


@pytest.mark.parametrize(
    "pages",
    [
        pytest.param([(THUMBNAIL, REDUCED), (FULL, {NEW_SUBFILE_TYPE: 0})], id="thumbnail first"),
        pytest.param([(THUMBNAIL, REDUCED), (FULL, {})], id="nothing said of the picture"),
        pytest.param([(THUMBNAIL, {SUBFILE_TYPE: 2}), (FULL, {SUBFILE_TYPE: 1})], id="old tag"),
        pytest.param([(MASK, {NEW_SUBFILE_TYPE: 4}), (FULL, {})], id="mask first"),
        pytest.param(
            [(THUMBNAIL, REDUCED), (MASK, {NEW_SUBFILE_TYPE: 5}), (FULL, {})],
            id="thumbnail and its mask first",
        ),
        pytest.param([(FULL, {NEW_SUBFILE_TYPE: 2}), (THUMBNAIL, {})], id="a page of several"),
        pytest.param([(FULL, {}), (THUMBNAIL, REDUCED)], id="picture first, as in a pyramid"),
        pytest.param([(FULL, REDUCED), (THUMBNAIL, REDUCED)], id="no page that is not reduced"),
        pytest.param([(FULL, REDUCED)], id="a level of a pyramid alone"),
        pytest.param([(MASK, {NEW_SUBFILE_TYPE: 4}), (FULL, REDUCED)], id="mask, then reduced"),
    ],
)
def test_the_photograph_is_the_first_page_in_full_resolution(pages):
    assert_is(found(tiff(*pages)), FULL)


def test_a_compressed_page_is_found_too():
    pages = [(THUMBNAIL, REDUCED), (FULL, {NEW_SUBFILE_TYPE: 0})]
    assert_is(found(tiff(*pages, compression="tiff_lzw")), FULL)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_page_is_turned_as_it_says_and_not_as_the_thumbnail_does(orientation):
    pages = [
        (THUMBNAIL, REDUCED | {ExifTags.Base.Orientation: 6}),
        (stored_as(FULL, orientation), {ExifTags.Base.Orientation: orientation}),
    ]
    assert_is(found(tiff(*pages)), FULL)


def test_the_limit_is_that_of_the_page_that_is_taken():
    content = tiff((THUMBNAIL, REDUCED), (FULL, {}))
    with pytest.raises(ImageRejected, match=r"400 x 300 pixels, more than 0\.1 megapixels"):
        decode_image(content, size_px=64, limits=ImageLimits(max_megapixels=0.1))


def test_a_preview_of_a_raw_file_is_not_taken_for_the_photograph():
    """In DNG and NEF the picture lies in a SubIFD."""
    rejected = refusal(tiff((THUMBNAIL, REDUCED | {SUB_IFDS: 8})))
    assert rejected.reason is Reason.UNREADABLE
    assert rejected.detail == (
        "only its preview of 160 x 120 pixels can be read; export it as JPEG or TIFF"
    )


def test_a_picture_of_an_unknown_kind_is_not_replaced_by_its_thumbnail():
    content = tiff((THUMBNAIL, REDUCED), (FULL, {}))
    rgb, raw = (struct.pack("<HHIHH", PHOTOMETRIC, 3, 1, value, 0) for value in (2, 32803))
    before, tag, after = content.rpartition(rgb)
    assert tag
    rejected = refusal(before + raw + after)
    assert rejected.reason is Reason.UNREADABLE
    assert rejected.detail == (
        "its picture in full resolution is of a kind that is not read; export it as JPEG or TIFF"
    )


def test_masks_alone_are_no_photograph():
    rejected = refusal(tiff((MASK, {NEW_SUBFILE_TYPE: 4})))
    assert rejected.reason is Reason.UNREADABLE
    assert "it holds masks and no picture" in rejected.detail


def test_a_file_that_ends_before_its_picture_is_truncated():
    content = tiff((THUMBNAIL, REDUCED), (FULL, {}))
    assert refusal(content[: len(content) // 3]).reason is Reason.TRUNCATED


def test_pages_that_lead_in_a_circle_end():
    content = bytearray(tiff((THUMBNAIL, REDUCED), (THUMBNAIL, REDUCED)))
    first = struct.unpack_from("<I", content, 4)[0]
    second = struct.unpack_from("<I", content, first + 2 + 12 * content[first])[0]
    struct.pack_into("<I", content, second + 2 + 12 * content[second], first)
    assert_is(found(bytes(content)), THUMBNAIL)


def test_only_so_many_pages_are_looked_at(monkeypatch):
    pages = [(THUMBNAIL, REDUCED)] * (MAX_PAGES + 20)
    seek, sought = TiffImagePlugin.TiffImageFile.seek, []
    monkeypatch.setattr(
        TiffImagePlugin.TiffImageFile,
        "seek",
        lambda image, page: sought.append(page) or seek(image, page),
    )
    assert_is(found(tiff(*pages)), THUMBNAIL)
    assert max(sought) < MAX_PAGES


@pytest.mark.parametrize("n_pages", [1, 2, 3])
def test_damaged_pages_are_rejected_or_decoded_and_never_anything_else(n_pages):
    content = tiff(*[(picture(20, 15), REDUCED)] * n_pages, (picture(30, 20), {}))
    generator = np.random.default_rng(11)
    for _ in range(300):
        damaged = bytearray(content)
        for position in generator.integers(0, len(damaged), 6):
            damaged[position] = generator.integers(0, 256)
        # Whatever else is raised fails the test.
        with contextlib.suppress(ImageRejected):
            assert found(bytes(damaged)).mode == "RGB"


def test_the_main_picture_of_a_multi_picture_jpeg_is_taken():
    content = encode(FULL, "MPO", save_all=True, append_images=[THUMBNAIL])
    assert found(content).size == FULL.size


@pytest.mark.parametrize("n_images", [1, 2, 3])
def test_the_primary_image_of_a_heif_is_taken(n_images):
    """The last of them is the primary one, and the only one that is turned."""
    assert found(heif(orientation=6, n_images=n_images)).size == (48, 64)
