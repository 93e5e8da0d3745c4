"""What is no photograph by its kind costs a row of rejected images, or nothing."""

import os
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from spark_assets.errors import FruitsError
from spark_assets.images import listing
from spark_assets.images.listing import ImageEntry, entries_in, list_images
from spark_assets.images.reading import ImageReader
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.storage.locations import Location, parse_location
from tests.spark.runs import options_for, paths_of, put, run_here, save

LEVEL = "d" * 200


def circle_of_links(folder: Path) -> None:
    (folder / "loop1").symlink_to("loop2")
    (folder / "loop2").symlink_to("loop1")


def link_to_itself(folder: Path) -> None:
    (folder / "self").symlink_to("self")


def link_through_a_file(folder: Path) -> None:
    (folder / "through").symlink_to("1.png/beyond")


def link_with_a_long_name(folder: Path) -> None:
    (folder / "long").symlink_to("x" * 300)


def dangling_link(folder: Path) -> None:
    (folder / "dangling").symlink_to("nowhere")


def pipe(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")


def link_to_a_pipe(folder: Path) -> None:
    os.mkfifo(folder.parent.parent / "elsewhere")
    (folder / "to_pipe.png").symlink_to(folder.parent.parent / "elsewhere")


def open_socket(folder: Path) -> None:
    there = os.getcwd()
    os.chdir(folder)  # its path may be longer than an address
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("socket.png")
    finally:
        os.chdir(there)


def link_to_a_device(folder: Path) -> None:
    (folder / "zero.png").symlink_to("/dev/zero")


def name_that_is_not_utf8(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.png")).write_bytes(b"x")


def folder_that_is_not_utf8(folder: Path) -> None:
    name = Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9"))
    name.mkdir()
    (name / "1.png").write_bytes(b"x")


def folder_too_deep(folder: Path) -> None:
    there = os.getcwd()
    os.chdir(folder)
    try:
        for _ in range(25):
            os.mkdir(LEVEL)
            os.chdir(LEVEL)
    finally:
        os.chdir(there)


DEEPEST = "/".join([LEVEL] * ((4095 - 200) // 201))
ODD: dict[Callable[[Path], None], list[str]] = {
    circle_of_links: ["loop1", "loop2"],
    link_to_itself: ["self"],
    link_through_a_file: ["through"],
    link_with_a_long_name: ["long"],
    dangling_link: ["dangling"],
    pipe: ["pipe.png"],
    link_to_a_pipe: ["to_pipe.png"],
    open_socket: ["socket.png"],
    link_to_a_device: ["zero.png"],
    name_that_is_not_utf8: ["caf\\xe9.png"],
    folder_that_is_not_utf8: ["caf\\xe9/1.png"],
}


def images_with(folder: Path, *kinds: Callable[[Path], None]) -> Location:
    for index in range(3):
        put(folder / "images", f"a/{index}.png", seed=index)
    for kind in kinds:
        kind(folder / "images" / "a")
    return parse_location(str(folder / "images"))


def listed(images: Location) -> list[ImageEntry]:
    return [*entries_in(list_images(images))]


def photographs(n: int = 3) -> list[str]:
    return [f"a/{index}.png" for index in range(n)]


@pytest.mark.parametrize("kind", ODD, ids=lambda kind: kind.__name__)
def test_an_odd_entry_is_listed_and_rejected_as_unreadable(kind, tmp_path):
    images = images_with(tmp_path, kind)
    entries = listed(images)
    odd = [f"a/{name}" for name in ODD[kind]]
    assert [entry.path for entry in entries] == photographs() + odd
    reader = ImageReader(images, limits=ImageLimits())
    for entry in entries:
        if entry.path in odd:
            assert (entry.size_bytes, entry.modified_at) == (None, None)
            with pytest.raises(ImageRejected) as caught:
                reader(entry)
            assert caught.value.reason is Reason.UNREADABLE
            assert "OSError" not in caught.value.detail
        else:
            assert len(reader(entry)) == entry.size_bytes


def test_a_folder_too_deep_to_be_named_is_one_row(tmp_path):
    images = images_with(tmp_path, folder_too_deep)
    *known, odd = listed(images)
    assert [entry.path for entry in known] == photographs()
    assert set(odd.path.split("/")) == {"a", LEVEL}
    with pytest.raises(ImageRejected, match="File name too long"):
        ImageReader(images, limits=ImageLimits())(odd)


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        (pipe, "not a regular file but a pipe"),
        (open_socket, "not a regular file but a socket"),
        (link_to_a_device, "not a regular file but a device"),
    ],
)
def test_the_detail_says_what_is_there(kind, detail, tmp_path):
    images = images_with(tmp_path, kind)
    (odd,) = [entry for entry in listed(images) if entry.size_bytes is None]
    with pytest.raises(ImageRejected) as caught:
        ImageReader(images, limits=ImageLimits())(odd)
    assert caught.value.detail == detail


@pytest.mark.parametrize("becomes", ["folder", "pipe", "nothing"])
def test_a_photograph_that_is_replaced_after_the_listing_is_unreadable(becomes, tmp_path):
    images = images_with(tmp_path)
    first = listed(images)[0]
    file = tmp_path / "images" / first.path
    file.unlink()
    if becomes == "folder":
        file.mkdir()
    if becomes == "pipe":
        os.mkfifo(file)
    with pytest.raises(ImageRejected) as caught:
        ImageReader(images, limits=ImageLimits())(first)
    assert caught.value.reason is Reason.UNREADABLE


def test_a_pipe_that_takes_the_place_of_a_file_while_it_is_opened_is_not_waited_for(
    tmp_path, monkeypatch
):
    images = images_with(tmp_path)
    first = listed(images)[0]
    stat = os.stat

    def stat_and_replace(path: str) -> os.stat_result:
        status = stat(path)
        os.unlink(path)
        os.mkfifo(path)
        return status

    monkeypatch.setattr("spark_assets.images.regular_files.os.stat", stat_and_replace)
    with pytest.raises(ImageRejected, match="but a pipe"):
        ImageReader(images, limits=ImageLimits())(first)


def test_a_file_without_a_size_is_read_to_its_end(tmp_path):
    """As those in /proc."""
    (tmp_path / "images").symlink_to("/proc/self")
    images = parse_location(str(tmp_path / "images"))
    reader = ImageReader(images, limits=ImageLimits())
    assert reader(ImageEntry("cmdline", 0, None)) == Path("/proc/self/cmdline").read_bytes()
    with pytest.raises(ImageRejected) as caught:
        ImageReader(images, limits=ImageLimits(max_bytes=3))(ImageEntry("cmdline", 0, None))
    assert caught.value.reason is Reason.TOO_LARGE


@pytest.mark.parametrize("literal", ["caf\\xe9.png", "caf\\xe9/1.png"])
def test_two_names_of_the_same_readable_form_are_one_image(literal, tmp_path):
    """Tables hold a path once; the one that is valid UTF-8 is the one that can be read."""
    images = images_with(tmp_path, name_that_is_not_utf8, folder_that_is_not_utf8)
    put(tmp_path / "images", f"a/{literal}")
    paths = [entry.path for entry in listed(images)]
    assert len(paths) == len(set(paths)) == 5
    (entry,) = [entry for entry in listed(images) if entry.path == f"a/{literal}"]
    assert ImageReader(images, limits=ImageLimits())(entry)


@pytest.mark.parametrize("top", ["images", "/"])
def test_linked_folders_that_lead_to_each_other_are_listed_once_on_each_way(top, tmp_path):
    images = images_with(tmp_path)
    put(tmp_path / "images", "b/0.png")
    (tmp_path / "images" / "a" / "to_b").symlink_to("../b")
    (tmp_path / "images" / "b" / "to_a").symlink_to("../a")
    (tmp_path / "images" / "a" / "to_top").symlink_to("/" if top == "/" else tmp_path / top)
    a = [f"{index}.png" for index in range(3)]
    assert [entry.path for entry in listed(images)] == sorted(
        [f"a/{name}" for name in a] + [f"b/to_a/{name}" for name in a] + ["b/0.png", "a/to_b/0.png"]
    )


def test_a_folder_that_a_file_has_replaced_since_holds_nothing(tmp_path):
    images = images_with(tmp_path)
    assert list(listing.list_level(images, "a/0.png/")) == []


def as_nobody(work: Callable[[], None]) -> None:
    """Call without the rights of root, which no permission stops."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        work()
    finally:
        os.seteuid(user)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that others reach too, as those above ``tmp_path`` let nobody in."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.mark.parametrize("linked", [False, True], ids=["folder", "linked folder"])
def test_a_folder_that_may_not_be_listed_may_hide_photographs_and_ends_the_run(linked, open_folder):
    images = images_with(open_folder)
    hidden = open_folder / "hidden" if linked else open_folder / "images" / "hidden"
    (hidden / "inner").mkdir(parents=True)
    if linked:
        (open_folder / "images" / "link").symlink_to(hidden / "inner")
    hidden.chmod(0o000)

    def check() -> None:
        with pytest.raises(FruitsError, match=r"/(hidden/|link) cannot be listed: Permission den"):
            listed(images)

    try:
        as_nobody(check)
    finally:
        hidden.chmod(0o755)


def test_a_folder_that_is_not_utf8_is_listed_in_its_readable_form(tmp_path):
    images = images_with(tmp_path, folder_that_is_not_utf8)
    assert "a/caf\\xe9/1.png" in [entry.path for entry in listed(images)]


def test_an_output_may_have_a_colon_in_its_name(tmp_path, seeded_model):
    folder = tmp_path / "2026-01-01T10:00"
    images_with(folder)
    options = options_for(folder, save(seeded_model, tmp_path / "model"))
    run_here(options)
    assert paths_of(Path(options.output.base)) == photographs()
