"""What the driver does of a small output is what Spark does of a large one."""

import dataclasses
import itertools
import shutil
from pathlib import Path

import numpy as np
import pyarrow.dataset
import pytest

from spark_assets.chain.options import ReduceOptions, ReportOptions
from spark_assets.chain.run import commit, featurize, reduce, report, run_chain
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.pca_models import load_reference, pca_records
from spark_assets.output.small_tables import count_rows, write_table
from spark_assets.report.collecting import collect_report_data
from spark_assets.runtime import parallel
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import CHANGES, FEATURES, REDUCED, REJECTED
from tests.conftest import no_spark
from tests.spark.runs import options_for, put, save, touch

MAX_POINTS = 5


def run_thrice(spark, options) -> OutputLayout:
    """Run on some images, then on more of them, and at last on others and fewer."""
    images = Path(options.images.base)
    to_reduce = ReduceOptions(options.output, 3, None, False, verbose=False)
    to_report = ReportOptions(options.output, MAX_POINTS, verbose=False)
    for new in (range(9), range(9, 12)):
        for index in new:
            put(images, f"{'abc'[index % 3]}/{index}.png", seed=index)
        put(images, f"broken/{new[0]}.png", b"broken")
        run_chain(lambda: spark.sparkContext, options, to_reduce, to_report)
    touch(put(images, "a/0.png", seed=20), later_s=60)
    put(images, "a/9.png", b"broken")
    touch(put(images, "broken/0.png", seed=21), later_s=60)
    (images / "b/1.png").unlink()
    run_chain(lambda: spark.sparkContext, options, to_reduce, to_report)
    return OutputLayout(options.output)


@pytest.fixture(scope="module")
def outputs(spark, seeded_model, tmp_path_factory):
    """Return the same output, made by the driver and by Spark."""
    folder = tmp_path_factory.mktemp("small")
    options = options_for(folder, save(seeded_model, folder / "model"), max_rejected=1.0)
    made = []
    for name, max_rows in (("here", 20_000), ("spark", -1)):
        with pytest.MonkeyPatch.context() as patch:
            output = parse_location(str(folder / name))
            shutil.rmtree(folder / "images", ignore_errors=True)
            patch.setattr(parallel, "_MAX_ROWS_HERE", max_rows)
            made.append(run_thrice(spark, dataclasses.replace(options, output=output)))
    return made


def rows(layout, table, schema):
    """Return the rows of each run, the oldest first, and what is compared of them."""
    names = [name for name in schema.names if name != "modified_at"]
    return [
        pyarrow.dataset.dataset(getattr(layout, table)(run.run_id).base, schema=schema)
        .to_table(columns=names)
        .to_pylist()
        for run in visible_runs(layout)
    ]


@pytest.mark.parametrize(
    ("table", "schema"), [("features", FEATURES), ("rejected", REJECTED), ("changes", CHANGES)]
)
def test_the_tables_of_a_run_hold_the_same_rows_in_the_same_order(outputs, table, schema):
    here, on_spark = (rows(layout, table, schema) for layout in outputs)
    assert here == on_spark
    assert sum(map(len, here)) == {"features": 14, "rejected": 3, "changes": 18}[table]


def test_the_model_its_reference_and_the_reduced_rows_are_the_same(outputs):
    found = []
    for layout in outputs:
        (record,) = pca_records(layout, [run.run_id for run in visible_runs(layout)])
        reduced = pyarrow.dataset.dataset(layout.reduced(record.model_id).base, schema=REDUCED)
        by_path = {row["path"]: row["pca_features"] for row in reduced.to_table().to_pylist()}
        reference = load_reference(layout.pca_model(record.model_id))
        found.append((record, by_path, reference))
    (record, reduced, reference), (other, other_reduced, other_reference) = found
    np.testing.assert_allclose(record.explained_variance, other.explained_variance, rtol=1e-9)
    assert reduced.keys() == other_reduced.keys()
    assert len(reduced) == 13
    for path, row in reduced.items():
        np.testing.assert_allclose(row, other_reduced[path], atol=1e-4)
    np.testing.assert_allclose(reference.measures.error, other_reference.measures.error, rtol=1e-5)
    assert reference.labels == other_reference.labels == {"a", "b", "c"}


def test_the_report_shows_the_same(spark, outputs, monkeypatch):
    shown = []
    for layout, session in itertools.product(outputs, (no_spark, lambda: spark.sparkContext)):
        is_here = session is no_spark
        monkeypatch.setattr(parallel, "_MAX_ROWS_HERE", 20_000 if is_here else -1)
        runs = visible_runs(layout)
        record = pca_records(layout, [run.run_id for run in runs])[-1]
        data = collect_report_data(session, layout, runs, record, max_points=MAX_POINTS)
        shown.append((data.plotted, data.rejected, data.n_current_rejected))
    (plotted, *others), *rest = shown
    assert (len(plotted.paths), plotted.n_reduced) == (MAX_POINTS, 11)
    assert [image.path for image in others[0]] == ["a/9.png", "broken/9.png"]
    assert None not in plotted.thumbnails
    for other, *other_others in rest:
        assert others == other_others
        assert (plotted.paths, plotted.labels) == (other.paths, other.labels)
        assert plotted.thumbnails == other.thumbnails
        assert plotted.n_reduced == other.n_reduced
        np.testing.assert_allclose(plotted.points, other.points, atol=1e-4)


def test_the_report_is_of_the_runs_that_it_is_given(outputs):
    for layout in outputs:
        first, *_ = runs = visible_runs(layout)
        record = pca_records(layout, [run.run_id for run in runs])[-1]
        data = collect_report_data(no_spark, layout, [first], record, max_points=MAX_POINTS)
        assert (data.plotted.n_reduced, data.n_current_rejected) == (9, 1)


def test_a_small_output_of_one_run_is_reduced_and_reported_without_spark(
    spark, seeded_model, tmp_path
):
    model = save(seeded_model, tmp_path / "model")
    options = options_for(tmp_path, model, max_rejected=1.0)
    for index in range(4):
        put(tmp_path / "images", f"a/{index}.png", seed=index)
    put(tmp_path / "images", "a/broken.png", b"broken")
    to_reduce = ReduceOptions(options.output, 3, None, False, verbose=False)
    to_report = ReportOptions(options.output, MAX_POINTS, verbose=False)
    commit(featurize(lambda: spark.sparkContext, options), options)
    reduce(no_spark, to_reduce, visible_runs(OutputLayout(options.output)))
    report(no_spark, to_report)
    assert "a/3.png" in (tmp_path / "out/report/index.html").read_text()


def test_rows_are_counted_over_all_files_and_a_table_without_rows_has_its_columns(tmp_path):
    folder = parse_location(str(tmp_path / "table"))
    assert count_rows(folder) == 0
    table = REDUCED.empty_table()
    write_table(table, folder)
    assert pyarrow.dataset.dataset(folder.base).schema.names == REDUCED.names
    assert count_rows(folder) == 0
