"""Small files under an output."""

import os

import pytest

from spark_assets.storage import files
from spark_assets.storage.files import read_bytes, replace_file
from spark_assets.storage.locations import parse_location


def test_an_interrupted_replacement_leaves_nothing_beside_that_spark_reads(tmp_path, monkeypatch):
    """Spark reads every file of a folder whose name does not begin with a dot or an underscore."""
    (tmp_path / "part-0.parquet").write_bytes(b"old")

    def interrupt(_source, _target):
        raise KeyboardInterrupt

    monkeypatch.setattr(files.os, "replace", interrupt)
    file = parse_location(str(tmp_path / "part-0.parquet"))
    with pytest.raises(KeyboardInterrupt):
        replace_file(file, b"new")
    assert [name for name in os.listdir(tmp_path) if name[0] not in "._"] == ["part-0.parquet"]
    assert read_bytes(file) == b"old"
