"""Small files under an output."""

import pytest

from spark_assets.storage.files import (
    copy_or_move,
    delete_empty_folders,
    delete_files,
    delete_folder,
    names_in,
    read_bytes,
    write_bytes,
)
from spark_assets.storage.locations import parse_location
from tests.spark.runs import files_under, put
from tests.spark.stopping import Stopped, stopping


@pytest.fixture
def folder(tmp_path):
    return parse_location(str(tmp_path / "folder"))


def test_an_interrupted_replacement_leaves_nothing_beside_that_readers_read(tmp_path, folder):
    """They read every file of a folder whose name does not begin with a dot or an underscore."""
    put(tmp_path, "folder/part-0.parquet", b"old")
    file = folder.child("part-0.parquet")
    with stopping(tmp_path, None) as hook:
        write_bytes(file, b"old")
    for n_operations in range(hook.n_operations):
        with pytest.raises(Stopped), stopping(tmp_path, n_operations):
            write_bytes(file, b"new")
        assert [name for name in names_in(folder) if name[0] not in "._"] == ["part-0.parquet"]
        assert read_bytes(file) == b"old"


def test_a_file_takes_the_place_of_another_and_is_not_missed_when_it_is_moved_again(
    tmp_path, folder
):
    put(tmp_path, "folder/b", b"old")
    put(tmp_path, "folder/a", b"new")
    for _ in range(2):
        copy_or_move(folder.child("a"), folder.child("b"))
        assert files_under(tmp_path) == {"folder/b": b"new"}


@pytest.mark.parametrize("place", ["nowhere/x", "file/x"])
def test_what_lies_nowhere_or_below_a_file_is_not_there(tmp_path, place):
    put(tmp_path, "file", b"")
    location = parse_location(str(tmp_path / place))
    assert read_bytes(location) is None
    assert names_in(location) == []
    delete_empty_folders(location, ["a"])
    delete_folder(location)
    delete_files([location])
    assert files_under(tmp_path) == {"file": b""}
