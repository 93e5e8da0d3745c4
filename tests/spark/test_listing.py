import os
from pathlib import Path

import pytest

from spark_assets.errors import FruitsError
from spark_assets.images import listing
from spark_assets.images.ignored_names import is_image_name
from spark_assets.images.labels import LabelRule
from spark_assets.images.listing import ImageEntry, check_images_exist, entries_in, list_images
from spark_assets.storage.locations import Location, parse_location

LEGAL_NAMES = [
    "plain.jpg",
    "two words.jpg",
    "pêche d'été.jpg",
    "100%25.jpg",
    "a+b#c?d&e=f.jpg",
    "\"quoted\" 'name'.jpg",
    "line\nbreak.jpg",
    "_DSC0001.JPG",
    "no ending",
    "[brackets]{braces}*.jpg",
    "back\\slash.jpg",
    "x" * 196 + ".jpg",
]


def tree(root: Path, *paths: str) -> Location:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"content")
    return parse_location(str(root))


def listed(images: Location) -> list[ImageEntry]:
    return [*entries_in(list_images(images))]


def paths(images: Location) -> list[str]:
    return [entry.path for entry in listed(images)]


def test_every_legal_name_is_listed_byte_for_byte(tmp_path):
    names = [f"{folder}/{name}" for folder in ("pomme verte", "a%b") for name in LEGAL_NAMES]
    assert paths(tree(tmp_path, *names)) == sorted(names)


@pytest.mark.parametrize("per_batch", [1, 2, 10_000])
def test_every_image_is_listed_once_ordered_by_path(tmp_path, monkeypatch, per_batch):
    monkeypatch.setattr(listing, "_ENTRIES_PER_BATCH", per_batch)
    names = ["top.jpg", "a/1.jpg", "a/2.jpg", "a/b/3.jpg", "a/b/c/4.jpg", "d/5.jpg", "e/f/g/6.jpg"]
    assert paths(tree(tmp_path, *names)) == sorted(names)


def test_a_folder_that_cannot_be_listed_is_told(tmp_path):
    with pytest.raises(FruitsError, match="cannot be listed"):
        list_images(parse_location(str(tmp_path / "nowhere")))


@pytest.mark.parametrize(
    "name",
    [
        ".hidden.jpg",
        ".thumbnails/a.jpg",
        "_SUCCESS",
        "a/_SUCCESS",
        "_temporary/0/part.jpg",
        "_committed_123",
        "_started_123",
        "apple/Thumbs.db",
        "apple/thumbs.db",
        "ehthumbs.db",
        "ehthumbs_vista.db",
        "apple/desktop.ini",
        "apple/Desktop.INI",
        "apple/Icon\r",
        "apple/.DS_Store",
        "apple/._1.jpg",
        ".Spotlight-V100/Store-V2/1.jpg",
        ".Trashes/501/1.jpg",
        "__MACOSX/apple/1.jpg",
        "$RECYCLE.BIN/S-1-5-21/1.jpg",
        "System Volume Information/IndexerVolumeGuid",
        "lost+found/1.jpg",
        "apple/@eaDir/1.jpg/SYNOPHOTO_THUMB_M.jpg",
        "#recycle/1.jpg",
        "@Recycle/1.jpg",
        "Network Trash Folder/1.jpg",
    ],
)
def test_what_spark_and_desktops_leave_behind_is_no_image(tmp_path, name):
    assert paths(tree(tmp_path, "apple/1.jpg", name)) == ["apple/1.jpg"]


@pytest.mark.parametrize(
    "name",
    [
        "_DSC0001.JPG",
        "_SUCCESS.jpg",
        "a/_b/c.jpg",
        "temporary/1",
        "Thumbs/1.jpg",
        "Thumbs.db/1.jpg",
        "Thumbs.db.jpg",
        "desktop.ini.png",
        "recycled/1.jpg",
        "icon",
        "@eaDir",
    ],
)
def test_everything_else_is_image_name(name):
    assert is_image_name(name, size_bytes=10)


@pytest.mark.parametrize("name", ["folder/", "folder_$folder$"])
def test_only_empty_objects_mark_folders(name):
    assert not is_image_name(name, size_bytes=0)


def test_an_empty_image_is_listed_so_that_it_can_be_rejected(tmp_path):
    images = tree(tmp_path, "apple/1.jpg")
    (tmp_path / "apple" / "empty.jpg").touch()
    assert paths(images) == ["apple/1.jpg", "apple/empty.jpg"]


def test_size_and_time_are_those_of_the_file(tmp_path):
    images = tree(tmp_path, "apple/1.jpg")
    os.utime(tmp_path / "apple/1.jpg", (1_700_000_000.25, 1_700_000_000.25))
    (entry,) = listed(images)
    assert entry.size_bytes == 7
    assert entry.modified_at is not None
    assert entry.modified_at.timestamp() == 1_700_000_000.25


def test_a_name_that_is_not_utf8_is_listed_in_readable_form(tmp_path):
    images = tree(tmp_path, "apple/1.jpg")
    with open(os.fsencode(tmp_path) + b"/apple/caf\xe9.jpg", "wb") as file:
        file.write(b"x")
    assert paths(images) == ["apple/1.jpg", "apple/caf\\xe9.jpg"]


def test_linked_folders_are_followed_and_loops_are_not(tmp_path):
    images = tree(tmp_path / "photos", "apple/1.jpg")
    tree(tmp_path / "elsewhere", "2.jpg")
    (tmp_path / "photos" / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "photos" / "apple" / "loop").symlink_to(tmp_path / "photos")
    assert paths(images) == ["apple/1.jpg", "linked/2.jpg"]


def test_a_dangling_link_is_listed_so_that_it_can_be_rejected(tmp_path):
    images = tree(tmp_path, "apple/1.jpg")
    (tmp_path / "apple" / "gone.jpg").symlink_to(tmp_path / "nowhere")
    assert paths(images) == ["apple/1.jpg", "apple/gone.jpg"]


def test_an_unknown_folder_gets_one_sentence(tmp_path):
    with pytest.raises(FruitsError, match="does not exist; give a folder of photographs"):
        check_images_exist(parse_location(str(tmp_path / "nowhere")))


def test_a_file_is_not_taken_for_a_folder(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(FruitsError, match="is not a folder"):
        check_images_exist(parse_location(str(tmp_path / "file")))


@pytest.mark.parametrize(
    ("labels", "path", "label"),
    [
        (LabelRule(), "Training/Pomme verte/1.jpg", "Pomme verte"),
        (LabelRule(), "1.jpg", None),
        (LabelRule(2), "Training/Apple/Apple 13/1.jpg", "Apple"),
        (LabelRule(2), "Apple 13/1.jpg", None),
        (LabelRule(), "a//1.jpg", "a"),
        (LabelRule(2), "a//1.jpg", None),
        (LabelRule(regex="^([^/]+)/"), "Apple/Apple 13/1.jpg", "Apple"),
        (LabelRule(regex="[a-z]+"), "APPLE/pear 3/1.jpg", "pear"),
        (LabelRule(regex="(kiwi)?"), "apple/1.jpg", None),
        (LabelRule(regex="kiwi"), "apple/1.jpg", None),
        (LabelRule(regex=r"/(\w+)_\d+\.jpg$"), "all/cherry_7.jpg", "cherry"),
        (LabelRule(regex="(?i)KIWI|apple"), "x/kiwi/apple.jpg", "kiwi"),
        (LabelRule(regex="a(b)?c"), "line\nbreak/abc ac.jpg", "b"),
    ],
)
def test_the_label_is_the_folder_or_the_part_of_a_path_that_was_asked_for(labels, path, label):
    assert labels.labels_of([path, path]) == [label, label]


def test_a_level_or_an_expression_that_is_none_is_refused():
    with pytest.raises(FruitsError, match="--label-level 0 names no folder; give 1"):
        LabelRule(0)
    with pytest.raises(
        FruitsError,
        match=r"'\[' is not a valid regular expression .*missing \].*; give one in RE2 syntax",
    ):
        LabelRule(regex="[")


def test_an_expression_with_repeated_repetitions_ends_on_a_long_name():
    """Python's re would look at 2**250 ways to read it."""
    assert LabelRule(regex="(a+)+$").labels_of(["a" * 250 + "b"]) == [None]
