"""Rows of files are chosen by path and run, whichever file holds them."""

import os

import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.output.table_files import RowChoice, files_of, rows_of
from spark_assets.storage.locations import parse_location

SCHEMA = pa.schema([("path", pa.string()), ("value", pa.int64())])


@pytest.fixture
def files(tmp_path):
    """Write three files of two runs, both of which have a row of a.jpg."""
    held = {"1": [["a.jpg", "b.jpg"], ["c.jpg"]], "2": [["a.jpg", "d.jpg"]]}
    folders = {run_id: parse_location(str(tmp_path / run_id)) for run_id in (*held, "nothing")}
    for run_id, parts in held.items():
        os.makedirs(folders[run_id].base)
        for number, paths in enumerate(parts):
            # The columns lie in another order, and one is not asked for.
            values = [int(run_id) * 10 + number] * len(paths)
            table = pa.table({"value": values, "path": paths, "other": paths})
            pyarrow.parquet.write_table(table, f"{folders[run_id].base}/{number}.parquet")
        for name in ("_SUCCESS", ".0.parquet.crc", ".1.parquet.partial", "_0.parquet"):
            (tmp_path / run_id / name).write_bytes(b"no table")
    return files_of(folders)


def read(choice, files):
    table = rows_of(choice, SCHEMA, files)
    assert table.schema.names == SCHEMA.names
    return [(row["path"], row["value"]) for row in table.to_pylist()]


def test_marks_and_unfinished_files_are_no_tables(files):
    names = [(file.run_id, file.name) for file in files]
    assert names == [("1", "0.parquet"), ("1", "1.parquet"), ("2", "0.parquet")]


def test_all_rows_but_those_that_are_left_out_are_read_in_order(files):
    everything = read(RowChoice({}, but=True), files)
    assert [path for path, _ in everything] == ["a.jpg", "b.jpg", "c.jpg", "a.jpg", "d.jpg"]
    left_out = RowChoice({"1": pa.array(["a.jpg", "c.jpg"])}, but=True)
    assert read(left_out, files) == [("b.jpg", 10), ("a.jpg", 20), ("d.jpg", 20)]


def test_only_the_rows_that_are_named_with_their_run_are_read(files):
    rows = pa.table({"path": ["a.jpg", "c.jpg", "nowhere.jpg"], "run_id": ["2", "1", "1"]})
    assert read(RowChoice.only(rows), files) == [("c.jpg", 11), ("a.jpg", 20)]
    assert read(RowChoice.only(rows.slice(0, 0)), files) == []
