import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.erasure.tables import count_affected, remove_rows, size_of
from spark_assets.storage.locations import parse_location

N_FILES, N_ROWS = 20, 50


@pytest.fixture
def folder(tmp_path):
    for index in range(N_FILES):
        paths = [f"a/{index:03d}/{row:03d}.jpg" for row in range(N_ROWS)]
        values = np.arange(N_ROWS * 4, dtype=np.float32).reshape(N_ROWS, 4) + index
        table = pa.table({"path": paths, "features": list(values)})
        pyarrow.parquet.write_table(table, tmp_path / f"part-{index:05d}.parquet")
    return parse_location(str(tmp_path))


def held(folder) -> dict[str, list[float]]:
    table = pyarrow.parquet.read_table(folder.base)
    return {row["path"]: row["features"] for row in table.to_pylist()}


def test_only_the_files_that_hold_a_row_are_written_anew(folder, tmp_path):
    before, values = {f.name: f.read_bytes() for f in tmp_path.iterdir()}, held(folder)
    erased = ["a/003/007.jpg", "a/003/008.jpg", "a/017/000.jpg", "a/nowhere.jpg"]
    planned = count_affected(folder, erased)
    assert remove_rows(folder, erased) == planned
    assert (planned.n_files, planned.n_rows) == (2, 3)
    after = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"part-00003.parquet", "part-00017.parquet"}
    assert held(folder) == {path: row for path, row in values.items() if path not in erased}


def test_doing_it_again_changes_nothing(folder, tmp_path):
    erased = [f"a/000/{row:03d}.jpg" for row in range(N_ROWS)]
    assert remove_rows(folder, erased).n_rows == N_ROWS
    before = {f.name: f.read_bytes() for f in tmp_path.iterdir()}
    assert remove_rows(folder, erased).n_files == 0
    assert {f.name: f.read_bytes() for f in tmp_path.iterdir()} == before
    assert len(before) == N_FILES  # a file without rows stays: readers expect the folder


def test_a_folder_that_is_not_there_holds_nothing(tmp_path):
    nowhere = parse_location(str(tmp_path / "nowhere"))
    assert remove_rows(nowhere, ["a.jpg"]).n_files == 0
    assert size_of(nowhere) == 0
