"""Rows leave the tables file by file, with all that was made of their photographs."""

import hashlib
import json
import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_assets.chain.remove_rows import Rewritten, keep_columns, remove_rows
from spark_assets.errors import FruitsError
from spark_assets.output.commit import begin, commit
from spark_assets.output.findings_table import (
    AuditRecord,
    Finding,
    FindingKind,
    current_findings,
    findings_files,
)
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import read_narrow, rows_by_run, table_files
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location
from tests.conftest import no_spark
from tests.spark.made_tables import feature_rows, put_table, rejected_rows
from tests.spark.runs import files_under, paths_of, put, rows_of

SEEN, UNSEEN = ("1-0", "1-1", "2-0"), ("3-0",)


def put_share(out: Path, name: str, paths: list[str], *, is_seen: bool = True, run_id: str) -> None:
    """Write a file of features and, where the PCA has seen it, the one of reduced rows."""
    rows = feature_rows(paths, run_id)
    put_table(out, f"features/{name}.parquet", rows)
    if is_seen:
        reduced = rows.select(["path", "label", "features"]).rename_columns(schemas.REDUCED.names)
        put_table(out, f"reduced/{name}.parquet", reduced)


@pytest.fixture
def out(tmp_path):
    """Return an output whose tasks have written files of both tables under one name."""
    folder = tmp_path / "out"
    for name in (*SEEN, *UNSEEN):
        paths = [f"{name}/{number:02d}.jpg" for number in range(12)]
        put_share(folder, name, paths, is_seen=name in SEEN, run_id=name[0])
        rejected = [f"{name}/{number}.bad" for number in range(3)]
        put_table(folder, f"rejected/{name}.parquet", rejected_rows(rejected, name[0]))
    return folder


def held(output: Output) -> pa.Table:
    tables = {"features": schemas.FEATURES, "rejected": schemas.REJECTED}
    narrow = (read_narrow(table_files(output, t), s, ("path",)) for t, s in tables.items())
    return pa.concat_tables(narrow)


def remove(out: Path, paths, spark=no_spark, change_id="9") -> Rewritten:
    """Remove the rows of paths that are there, as a run and an erasure do."""
    output = Output.open(parse_location(str(out)))
    rows = held(output)
    gone = rows.filter(pa.array([path in paths for path in rows["path"].to_pylist()], pa.bool_()))
    with begin(output.location, change_id) as change:
        rewritten = remove_rows(spark, output, change, gone)
        commit(change)
    return rewritten


def files_of(out: Path, table: str) -> dict[str, pa.Table]:
    return {file.stem: pq.ParquetFile(file).read() for file in sorted((out / table).iterdir())}


def assert_reduced_files_are_those_of_features(out: Path, seen: set[str]) -> None:
    """They have the same names and the same rows, and all that the PCA has seen."""
    features, reduced = files_of(out, "features"), files_of(out, "reduced")
    for name, rows in reduced.items():
        columns = rows.rename_columns(["path", "label", "features"])
        assert columns.equals(features[name].select(columns.column_names)), name
    assert {path for rows in reduced.values() for path in rows["path"].to_pylist()} == seen


@pytest.mark.parametrize("seed", range(5))
def test_rows_leave_every_table_and_no_other_file_is_touched(out, seed, either_way):
    paths = [*paths_of(out), *paths_of(out, "rejected")]
    seen, before = set(paths_of(out, "reduced")), files_under(out)
    names = {path.partition("/")[0] for path in paths}
    draw = random.Random(seed)
    of_files = draw.sample(sorted(names), 2)
    gone = draw.sample([path for path in paths if path.startswith(tuple(of_files))], 8)
    expected = {
        table: rows_of(out, table).filter(
            pa.array([path not in gone for path in paths_of(out, table)])
        )
        for table in ("features", "rejected", "reduced")
    }
    rewritten = remove(out, gone, either_way)
    for table, rows in expected.items():
        assert rows_of(out, table).equals(rows), table
    assert_reduced_files_are_those_of_features(out, seen - set(gone))
    after = files_under(out)
    affected = {
        f"{table}/{path.partition('/')[0]}.parquet"
        for path in gone
        for table in (("rejected",) if path.endswith(".bad") else ("features", "reduced"))
    }
    assert {name for name in before if name not in after} == affected & before.keys()
    assert all(after[name] == before[name] for name in before.keys() & after.keys())
    of_features = [name for name in affected if name.startswith("features/")]
    n_rows = sum(not path.endswith(".bad") for path in gone)
    n_bytes = sum(len(before[name]) for name in of_features)
    assert rewritten == Rewritten(len(of_features), n_bytes, n_rows)


def test_a_file_of_which_no_row_is_left_goes(out):
    gone = [path for path in paths_of(out) if path.startswith("1-0/")]
    remove(out, gone)
    assert len(files_of(out, "features")) == len(SEEN) + len(UNSEEN) - 1
    assert len(files_of(out, "reduced")) == len(SEEN) - 1


def test_a_table_without_rows_keeps_its_columns_until_it_has_some(out):
    put(out, "pca_model/model.json", b"{}")
    place = parse_location(str(out))
    remove(out, [*paths_of(out), *paths_of(out, "rejected")])
    with begin(place, "10") as change:
        keep_columns(Output.open(place), change)
        commit(change)
    tables = {
        table: getattr(schemas, table.upper()) for table in ("features", "rejected", "reduced")
    }
    for table, schema in tables.items():
        assert rows_of(out, table).schema.equals(schema)
        assert [file.name for file in (out / table).iterdir()] == ["empty.parquet"]
    put_share(out, "11", ["a/1.jpg"], run_id="11")
    with begin(place, "12") as change:
        keep_columns(Output.open(place), change)
        commit(change)
    assert {t: [*files_of(out, t)] for t in tables} == {
        "features": ["11"], "rejected": ["empty"], "reduced": ["11"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "n_there"), [("1-0/elsewhere.jpg", 0), ("1-0/00.jpg", 2)], ids=["lost", "twice"]
)
def test_counts_that_do_not_add_up_are_refused_and_nothing_is_touched(out, path, n_there):
    put_share(out, "1-0", ["1-0/00.jpg", "1-0/00.jpg", "1-0/01.jpg"], run_id="1")
    before, output = files_under(out), Output.open(parse_location(str(out)))
    gone = pa.table({"path": [path], "file": ["features/1-0.parquet"]})
    told = f"1 rows were to be removed from .*, and {n_there} were found; nothing is changed"
    with begin(output.location, "9") as change, pytest.raises(FruitsError, match=told):
        remove_rows(no_spark, output, change, gone)
    assert files_under(out) == before


def put_small_files(out: Path, n_files: int, n_rows: int, *, unseen: int = 0) -> None:
    for number in range(n_files):
        # Rows of neighbours lie in another order than their files.
        paths = [f"{row:02d}/{number:02d}.jpg" for row in range(n_rows)]
        is_seen = number >= unseen
        put_share(out, f"s-{number:02d}", paths, is_seen=is_seen, run_id=str(number % 3))


def test_as_many_small_files_as_days_of_a_season_are_left_as_they_are(tmp_path):
    put_small_files(tmp_path, 64, 2)
    before = files_under(tmp_path)
    remove(tmp_path, [])
    assert files_under(tmp_path) == before


@pytest.mark.parametrize(("unseen", "n_files"), [(0, 2), (1, 3), (3, 3), (30, 2)])
def test_more_small_files_become_files_of_full_size(tmp_path, unseen, n_files):
    put_small_files(tmp_path, 70, 20, unseen=unseen)
    put_share(tmp_path, "large", [f"large/{n}.jpg" for n in range(512)], run_id="7")
    seen, before = set(paths_of(tmp_path, "reduced")), files_under(tmp_path)
    by_run = rows_by_run(table_files(Output.open(parse_location(str(tmp_path))), "features"))
    rows = rows_of(tmp_path, "features")
    remove(tmp_path, [])
    assert rows_of(tmp_path, "features").equals(rows)
    assert_reduced_files_are_those_of_features(tmp_path, seen)
    after, features = files_under(tmp_path), files_of(tmp_path, "features")
    for table in ("features", "reduced"):
        name = f"{table}/large.parquet"
        assert after[name] == before[name]
    merged = [table for name, table in features.items() if name != "large"]
    assert len(merged) == n_files
    for table in merged:
        assert table.num_rows <= 1024
        assert table["path"].to_pylist() == sorted(table["path"].to_pylist())
    output = Output.open(parse_location(str(tmp_path)))
    assert rows_by_run(table_files(output, "features")) == by_run
    remove(tmp_path, [], change_id="10")
    assert files_under(tmp_path) == after


def test_small_files_of_rejected_images_are_merged_too(tmp_path):
    for number in range(70):
        put_table(tmp_path, f"rejected/{number}.parquet", rejected_rows([f"{number}.jpg"]))
    rows = rows_of(tmp_path, "rejected")
    remove(tmp_path, ["0.jpg"])
    assert sorted(map(len, files_of(tmp_path, "rejected").values())) == [69]
    assert rows_of(tmp_path, "rejected").num_rows == rows.num_rows - 1


def test_what_names_a_photograph_goes_with_it(out):
    record = AuditRecord(
        "2026-01-01", 1, 1, 0, {}, {}, 0, None, 0, None, None, {}, "n", None, {}
    )  # fmt: skip
    pairs = [("1-0/00.jpg", None), ("1-0/01.jpg", "1-0/00.jpg"), ("1-0/02.jpg", "1-0/03.jpg")]
    findings = [
        Finding(path, "1-0", FindingKind.DUPLICATE, 1.0, None, related, "")
        for path, related in pairs
    ]
    for name, content in findings_files(record, findings).items():
        put(out, f"findings/{name}", content)
    known = pa.table({"path": ["1-0/00.jpg", "1-1/00.jpg"], "features": [[1.0], [2.0]]})
    put_table(out, "classifier/known.parquet", known)
    put(out, "classifier/classifier.json", b'{"made_from": {"1": 24}, "sha256": {"a": "b"}}')
    put(out, "report/index.html", b"<html>")
    output = Output.open(parse_location(str(out)))
    remove(out, [])
    assert output.read("report/index.html") == b"<html>"
    remove(out, ["1-0/00.jpg"])
    assert current_findings(output) == findings[2:]
    assert output.read("report/index.html") is None
    kept = (out / "classifier" / "known.parquet").read_bytes()
    assert rows_of(out, "classifier/known.parquet")["path"].to_pylist() == ["1-1/00.jpg"]
    assert json.loads((out / "classifier" / "classifier.json").read_text()) == {
        "made_from": {"1": 24},
        "sha256": {"a": "b", "known.parquet": hashlib.sha256(kept).hexdigest()},
    }
    remove(out, ["1-1/00.jpg"])
    assert not (out / "classifier").exists()
