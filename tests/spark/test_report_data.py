"""What the report collects: from the tables, the photographs, the receipt if there is one."""

import random
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.make_report import language_of_report, make_report
from spark_assets.chain.options import ReduceOptions
from spark_assets.chain.remove_rows import keep_columns, remove_rows
from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import data_uri, thumbnail_jpeg
from spark_assets.output.commit import begin, commit
from spark_assets.output.manifest import latest_run
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.output.receipt_files import write_receipt
from spark_assets.pca.drift_sample import path_hash
from spark_assets.report.collect_report_data import _evenly_by_label, collect_report_data
from spark_assets.report.report_data import MAX_REJECTED_ROWS, RejectedImage
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import FEATURES
from spark_assets.text.system_language import LANGUAGES
from tests.conftest import no_spark
from tests.made_report import made_receipt
from tests.spark.made_tables import feature_rows, put_run, put_table, rejected_rows
from tests.spark.runs import put, rows_of

GONE = "apple/1-00.png"


@pytest.fixture
def output(tmp_path):
    """Return an output of two runs, whose photographs are there but for one."""
    for run_id in "12":
        paths = [f"{label}/{run_id}-{n:02d}.png" for label in ("apple", "fig") for n in range(9)]
        for number, path in enumerate(paths):
            put(tmp_path / "images", path, seed=100 * int(run_id) + number)
        rows = feature_rows(paths, run_id, np.random.default_rng(int(run_id)).normal(size=(18, 6)))
        put_run(tmp_path / "out", run_id, rows, images_uri=str(tmp_path / "images"))
    (tmp_path / "images" / GONE).unlink()
    place = parse_location(str(tmp_path / "out"))
    reduce_features(no_spark, ReduceOptions(place, 4, None, False))
    return Output.open(place)


def collected(output, spark=no_spark, max_points=100):
    return collect_report_data(spark, output, latest_run(output), max_points=max_points)


@pytest.mark.parametrize("max_points", [10, 100])
def test_points_are_those_of_the_table_with_the_thumbnails_of_their_photographs(
    output, either_way, tmp_path, max_points
):
    reduced = rows_of(tmp_path / "out", "reduced")
    expected = _evenly_by_label(reduced, max_points).sort_by("path").to_pylist()
    found = collected(output, either_way, max_points)
    assert (found.n_runs, found.n_current_features, found.latest_run.run_id) == (2, 36, "2")
    plotted = found.plotted
    assert plotted.n_reduced == 36
    assert plotted.paths == [row["path"] for row in expected]
    assert plotted.labels == [row["label"] for row in expected]
    np.testing.assert_array_equal(plotted.points, [row["pca_features"][:3] for row in expected])
    for path, found in zip(plotted.paths, plotted.thumbnails, strict=True):
        if path == GONE:
            assert found is None
        else:
            content = (tmp_path / "images" / path).read_bytes()
            assert found == data_uri(thumbnail_jpeg(content, ImageLimits()))


def test_the_first_rejected_images_are_told_by_reason_and_all_are_counted(output, tmp_path):
    for run_id, reason in (("1", "truncated"), ("2", "empty")):
        rows = rejected_rows([f"{n:03d}.jpg" for n in range(300)], run_id, reason=[reason] * 300)
        put_table(tmp_path / "out", f"rejected/{run_id}.parquet", rows)
    found = collected(output)
    assert found.n_current_rejected == 600
    reasons = ["empty"] * 300 + ["truncated"] * (MAX_REJECTED_ROWS - 300)
    assert found.rejected == [
        RejectedImage(f"{n % 300:03d}.jpg", reason, "0 bytes") for n, reason in enumerate(reasons)
    ]


def test_an_output_that_has_lost_all_its_images_has_a_report(output):
    gone = read_narrow(table_files(output, "features"), FEATURES, ("path",))
    with begin(output.location, "3") as change:
        remove_rows(no_spark, output, change, gone)
        keep_columns(output, change)
        commit(change)
    assert collected(output).n_current_features == 0
    for code in LANGUAGES:
        page = make_report(no_spark, output, 100, code)
        assert language_of_report(page.encode()) == code


def test_the_newest_receipt_of_the_output_is_collected(output):
    without = collected(output)
    assert without.receipt is None
    assert not without.is_in_s3
    old = replace(made_receipt(), cluster_id="j-1", made_at="2025-01-01T00:00:00+00:00")
    for receipt in (made_receipt(), old):
        write_receipt(output, receipt)
    assert collected(output).receipt == made_receipt()


@pytest.mark.parametrize("seed", range(4))
def test_points_are_drawn_evenly_over_the_labels_by_the_hashes_of_their_paths(seed):
    draw = random.Random(seed)
    labels = draw.choices(["apple", "pear", "kiwi", "\N{SNOWMAN}", None], [9, 5, 1, 2, 3], k=60)
    rows = [(f"{number}.jpg", label) for number, label in enumerate(labels)]
    n_drawn: Counter[str | None] = Counter()
    ranked = []
    for path, label in sorted(rows, key=lambda row: path_hash(row[0])):
        n_drawn[label] += 1
        ranked.append((n_drawn[label], label or "", path))
    paths, names = zip(*rows, strict=True)
    table = pa.table({"path": pa.array(paths), "label": pa.array(names, pa.string())})
    for n_points in (1, 2, 7, 20, 59):
        drawn = _evenly_by_label(table, n_points)["path"].to_pylist()
        assert drawn == [path for *_, path in sorted(ranked)[:n_points]]
    assert _evenly_by_label(table, 60).equals(table)
    assert _evenly_by_label(table.slice(0, 0), 5).num_rows == 0
