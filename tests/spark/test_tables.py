"""The tables of an output, read file by file: no more of them than is asked for."""

import subprocess
import sys
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_assets.output import parquet_tables
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import (
    EMPTY,
    count_rows,
    paths_by_file,
    read_batches,
    read_narrow,
    read_rows,
    rows_by_run,
    table_files,
)
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location
from tests.spark.made_tables import feature_rows, put_table, spoil


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


@pytest.fixture
def files(out):
    """Return two files of a run and one of two runs, as a merged one is."""
    both = [feature_rows([f"c/{run}{n}" for n in range(20)], run) for run in "12"]
    parts = {
        "x": feature_rows([f"a/{n}" for n in range(30)]),
        "y": feature_rows([f"b/{n}" for n in range(10)]),
        "z": pa.concat_tables(both).sort_by("path"),
    }
    return [put_table(out, f"features/{name}.parquet", rows) for name, rows in parts.items()]


def all_rows(files) -> pa.Table:
    return pa.concat_tables([pq.ParquetFile(file.location.base).read() for file in files])


def test_the_files_of_a_table_are_those_with_rows_in_order_of_their_names(out, files):
    put_table(out, f"features/{EMPTY}", feature_rows([]))
    for name in (".y.parquet.1a2b3c4d.partial", "_SUCCESS", "notes.txt"):
        (out / "features" / name).write_bytes(b"")
    output = Output.open(parse_location(str(out)))
    assert table_files(output, "features") == files
    assert table_files(output, "rejected") == []


def test_narrow_columns_are_read_without_a_look_at_the_vectors_and_tell_the_file(files):
    expected = all_rows(files)
    for file in files:
        spoil(file, "features")
    found = read_narrow(files, schemas.FEATURES, ("size_bytes", "path"))
    assert found.column_names == ["size_bytes", "path", "file"]
    assert found["path"].to_pylist() == expected["path"].to_pylist()
    assert Counter(found["file"].to_pylist()) == {
        "features/x.parquet": 30, "features/y.parquet": 10, "features/z.parquet": 40,
    }  # fmt: skip


def test_columns_have_the_types_of_the_schema_whoever_wrote_them(out):
    rows = feature_rows(["a/1"])
    other = rows.set_column(3, "size_bytes", pa.array([1], pa.int32()))
    files = [put_table(out, f"features/{n}.parquet", t) for n, t in enumerate((rows, other))]
    found = read_narrow(files, schemas.FEATURES, ("path", "size_bytes"))
    assert found["size_bytes"].type == pa.int64()


def test_of_no_files_there_are_no_rows_of_the_same_columns():
    found = read_narrow([], schemas.REJECTED, ("path", "reason"))
    assert (found.num_rows, found.column_names) == (0, ["path", "reason", "file"])
    assert (rows_by_run([]), count_rows([])) == (Counter(), [])
    assert read_rows({}, schemas.REDUCED, []).num_rows == 0


def test_rows_by_run_are_counted_from_footers_and_in_merged_files_alone_from_rows(files):
    for file in files[:2]:
        spoil(file, *schemas.FEATURES.names)
    spoil(files[2], *(n for n in schemas.FEATURES.names if n != "run_id"))
    assert rows_by_run(files) == {"1": 60, "2": 20}
    assert count_rows(files) == [30, 10, 40]


def test_rows_by_run_of_files_without_statistics_and_of_several_groups_are_right(out):
    rows = pa.concat_tables([feature_rows([f"{n}" for n in range(7)], run) for run in "112"])
    for number, options in enumerate(
        ({"write_statistics": False}, {"row_group_size": 7}, {"row_group_size": 4})
    ):
        file = put_table(out, f"features/{number}.parquet", rows)
        pq.write_table(rows, file.location.base, **options)
        assert rows_by_run([file]) == {"1": 14, "2": 7}


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
def test_chosen_rows_are_those_of_the_paths_in_the_order_of_the_file(
    files, batch_rows, monkeypatch
):
    monkeypatch.setattr(parquet_tables, "_BATCH_ROWS", batch_rows)
    columns = ["features", "path"]
    for file in files:
        expected = all_rows([file]).select(columns)
        found = pa.Table.from_batches(read_batches(file, columns))
        assert found.cast(expected.schema).equals(expected)
        paths = expected["path"].to_pylist()
        chosen = [path for number, path in enumerate(paths) if number % 3 == 1]
        batches = read_batches(file, columns, pa.array([*reversed(chosen), "a/elsewhere"]))
        found = pa.Table.from_batches(batches)
        expected = expected.filter(pa.array([path in chosen for path in paths]))
        assert found.cast(expected.schema).equals(expected)


def test_where_no_row_is_chosen_nothing_but_the_paths_is_read(files):
    spoil(files[0], *(name for name in schemas.FEATURES.names if name != "path"))
    assert list(read_batches(files[0], ["features"], pa.array(["b/1"]))) == []


def test_rows_of_chosen_paths_come_from_the_files_that_hold_them_alone(files):
    spoil(files[1], *schemas.FEATURES.names)
    held = read_narrow([files[0], files[2]], schemas.FEATURES, ("path",))
    chosen = held.filter(pa.array([n % 9 == 0 for n in range(held.num_rows)]))
    by_file = paths_by_file(chosen)
    assert by_file.keys() == {"features/x.parquet", "features/z.parquet"}
    found = read_rows(by_file, schemas.FEATURES, files)
    assert found["path"].to_pylist() == chosen["path"].to_pylist()
    assert found["features"].to_pylist() == [
        [float(byte) for byte in path.encode().rjust(6)] for path in found["path"].to_pylist()
    ]


@pytest.mark.slow
def test_workers_import_no_more_than_they_need():
    program = (
        "import sys, spark_assets.chain.pca_over_files, spark_assets.chain.remove_rows;"
        "print({'tensorflow', 'sklearn', 'scipy', 'pandas', 'pyarrow.dataset'} & {*sys.modules})"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"
