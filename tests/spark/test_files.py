"""Small files under an output."""

import os

import pytest

from spark_assets import files
from spark_assets.files import read_bytes, replace_file, write_bytes
from spark_assets.locations import parse_location


def test_an_interrupted_replacement_leaves_the_old_file_and_nothing_beside(tmp_path, monkeypatch):
    (tmp_path / "part-0.parquet").write_bytes(b"old")

    def interrupt(_source, _target):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    file = parse_location(str(tmp_path / "part-0.parquet"))
    with pytest.raises(KeyboardInterrupt):
        replace_file(file, b"new")
    assert os.listdir(tmp_path) == ["part-0.parquet"]
    assert read_bytes(file) == b"old"


def test_two_that_write_a_file_at_a_time_each_put_it_whole(tmp_path, monkeypatch):
    """As a task and its speculative copy do: one has written all, and the other overtakes it."""
    file, replace = parse_location(str(tmp_path / "part-0.parquet")), os.replace

    def overtaken(source, target):
        monkeypatch.setattr(files.os, "replace", replace)
        write_bytes(file, b"the other's")
        assert read_bytes(file) == b"the other's"
        replace(source, target)

    monkeypatch.setattr(files.os, "replace", overtaken)
    write_bytes(file, b"the first's")
    assert read_bytes(file) == b"the first's"
    assert os.listdir(tmp_path) == ["part-0.parquet"]
