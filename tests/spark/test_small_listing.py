"""A small source is listed without Spark, and comes to the same."""

import pytest

from spark_assets.errors import FruitsError
from spark_assets.images.listing import WHOLE_LISTING, list_images
from spark_assets.images.small_listing import list_if_small
from spark_assets.locations import parse_location


@pytest.fixture
def images(tmp_path):
    for path in ("top.jpg", "b/2.jpg", "a/1.jpg", "a/deep/er/3.jpg", "a/.hidden/4.jpg"):
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(path.encode())
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    return parse_location(str(tmp_path))


def test_it_holds_what_a_whole_listing_holds_ordered_by_path(images):
    expected = sorted(list_images(images, WHOLE_LISTING), key=lambda entry: entry.path)
    assert len(expected) == 4
    assert list_if_small(images) == expected


@pytest.mark.parametrize(("max_images", "is_small"), [(5, True), (3, False), (0, False)])
def test_one_that_has_more_than_the_driver_takes_is_not_small(images, max_images, is_small):
    assert (list_if_small(images, max_images=max_images) is not None) == is_small


def test_many_folders_without_images_are_not_small(tmp_path):
    for number in range(9):
        (tmp_path / str(number)).mkdir()
    assert list_if_small(parse_location(str(tmp_path)), max_images=5) is None


def test_a_folder_that_cannot_be_listed_is_told(tmp_path):
    with pytest.raises(FruitsError, match="cannot be listed"):
        list_if_small(parse_location(str(tmp_path / "nowhere")))
