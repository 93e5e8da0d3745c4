import dataclasses
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from spark_assets.chain.options import ReduceOptions
from spark_assets.chain.pca_fit import fit_here
from spark_assets.chain.reduce import Reduction, reduce_features
from spark_assets.errors import FruitsError
from spark_assets.output import ids
from spark_assets.output.commit import commit_run
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.output.pca_models import load_pca_model, pca_records, projected_runs
from spark_assets.output.small_tables import write_table
from spark_assets.output.state import feature_files
from spark_assets.pca.model import fit, project
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.files import delete_folder
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.schemas import CHANGES, Outcome
from tests.made_report import made_facts

N_FEATURES = 12


@pytest.fixture
def layout(tmp_path) -> OutputLayout:
    return OutputLayout(parse_location(str(tmp_path / "out")))


def manifest(run_id: str, n_features: int, network: str) -> RunManifest:
    return RunManifest(
        run_id=run_id,
        started_at="2026-01-01T00:00:00+00:00",
        images_uri="images",
        options={"overwrite": False},
        feature_model=made_facts(network_sha256=network),
        counts=Counts(n_features, 0, n_features, 0, {}),
        bytes_read=0,
        seconds_by_stage={},
        images_per_second=1.0,
        images_per_second_steady=None,
        n_task_slots=2,
        versions={},
    )


def put_run(
    layout: OutputLayout, run_id: str, features: np.ndarray, *, network: str = "n"
) -> RunManifest:
    """Write a finished run without looking at an image."""
    n = len(features)
    folder = layout.features(run_id)
    table = pa.table(
        {
            "path": [f"a/{run_id}-{index}.jpg" for index in range(n)],
            "label": ["a"] * n,
            "content_sha256": ["0"] * n,
            "size_bytes": [1] * n,
            "modified_at": pa.array([0] * n, pa.timestamp("us", "UTC")),
            "width": pa.array([1] * n, pa.int32()),
            "height": pa.array([1] * n, pa.int32()),
            "features": pa.array(list(features.astype(np.float32)), pa.list_(pa.float32())),
        }
    )
    rejected = table.select(["path", "label", "size_bytes", "modified_at"]).slice(0, 0)
    for name in ("reason", "detail"):
        rejected = rejected.append_column(name, pa.array([], pa.string()))
    for location, rows in ((folder, table), (layout.rejected(run_id), rejected)):
        location.filesystem.create_dir(location.base, recursive=True)
        pyarrow.parquet.write_table(rows, f"{location.base}/part.parquet")
    made = manifest(run_id, n, network)
    commit_run(layout, made, None)
    return made


def features(n: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    scale = np.linspace(3, 0.1, N_FEATURES)
    return (5 + generator.normal(size=(n, N_FEATURES)) * scale).astype(np.float32)


def reduced_rows(layout: OutputLayout, model_id: str) -> dict[str, np.ndarray]:
    table = pyarrow.parquet.read_table(layout.reduced(model_id).base)
    assert table.schema.names == ["path", "label", "pca_features", "run_id"]
    return {row["path"]: np.array(row["pca_features"]) for row in table.to_pylist()}


def reduction(
    spark, output: Location, runs, n_components=None, pca_model=None, refit=False
) -> Reduction:
    options = ReduceOptions(output, n_components, pca_model, refit, verbose=False)
    return reduce_features(lambda: spark.sparkContext, options, runs)


def reduce(spark, output: Location, runs, n_components=None, pca_model=None, refit=False):
    made = reduction(spark, output, runs, n_components, pca_model, refit)
    return made.record, made.is_new_model


def models(layout: OutputLayout, *run_ids: str) -> list[str]:
    return [record.model_id for record in pca_records(layout, run_ids)]


def test_every_current_image_is_projected_with_the_saved_model(spark, layout):
    data = features(50)
    runs = [put_run(layout, "1", data)]
    record, is_new = reduce(spark, layout.output, runs, 3)
    assert is_new
    model, saved = load_pca_model(layout.pca_model(record.model_id))
    assert saved == record
    assert (record.n_components, record.n_samples, record.n_reduced) == (3, 50, 50)
    rows = reduced_rows(layout, record.model_id)
    found = np.stack([rows[f"a/1-{index}.jpg"] for index in range(50)])
    np.testing.assert_allclose(found, project(model, data), atol=1e-5)


def test_the_same_request_on_the_same_runs_is_not_done_again(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    first, _ = reduce(spark, layout.output, runs, 3)
    again, is_new = reduce(spark, layout.output, runs, 3)
    assert (again, is_new) == (first, False)
    other, is_new = reduce(spark, layout.output, runs, 4)
    assert is_new
    assert other.model_id != first.model_id


def test_new_images_are_projected_with_the_newest_model(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    record, _ = reduce(spark, layout.output, runs, 3)
    before = reduced_rows(layout, record.model_id)
    data = features(10, seed=1)
    runs.append(put_run(layout, "2", data))
    made = reduction(spark, layout.output, runs)
    assert (made.record, made.is_new_model, made.n_projected) == (record, False, 10)
    model, _ = load_pca_model(layout.pca_model(record.model_id))
    after = reduced_rows(layout, record.model_id)
    assert all((after[path] == row).all() for path, row in before.items())
    found = np.stack([after[f"a/2-{index}.jpg"] for index in range(10)])
    np.testing.assert_allclose(found, project(model, data), atol=1e-5)
    assert projected_runs(layout, record) == ["1", "2"]
    assert reduction(spark, layout.output, runs).n_projected == 0


def test_only_what_is_new_is_read_to_project_it(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    reduce(spark, layout.output, runs, 3)
    delete_folder(layout.features("1"))
    runs.append(put_run(layout, "2", features(10, seed=1)))
    assert reduction(spark, layout.output, runs).n_projected == 10


def test_refit_fits_to_all_that_is_current_and_leaves_the_old_model(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    first, _ = reduce(spark, layout.output, runs, 3)
    before = reduced_rows(layout, first.model_id)
    runs.append(put_run(layout, "2", features(10, seed=1)))
    second, is_new = reduce(spark, layout.output, runs, refit=True)
    assert is_new
    assert (second.n_samples, second.fitted_on, second.n_components) == (30, ["1", "2"], 3)
    assert before.keys() == reduced_rows(layout, first.model_id).keys()
    assert len(reduced_rows(layout, second.model_id)) == 30
    assert models(layout, "1", "2") == [first.model_id, second.model_id]
    assert reduce(spark, layout.output, runs, refit=True) == (second, False)


def fit_all(session, layout, runs):
    records = pca_records(layout, [run.run_id for run in runs])
    return fit_here(session, layout, runs, records, feature_files(layout, runs, runs), N_FEATURES)


def test_a_refit_after_additions_equals_a_fit_from_scratch_and_counts_only_them(
    spark, either_way, layout
):
    parts = [features(300, seed=seed) + seed for seed in range(3)]
    runs = [put_run(layout, "1", parts[0])]
    reduce(spark, layout.output, runs, N_FEATURES)
    put_run(layout, "1", features(300, seed=9))  # as nobody may: what was counted is not again
    for run_id, part in zip(("2", "3"), parts[1:], strict=True):
        runs.append(put_run(layout, run_id, part))
    model, statistics, sample = fit_all(either_way, layout, runs)
    assert sample.n_images == 900
    scratch = fit(PCAStatistics.from_features(np.concatenate(parts)), N_FEATURES)
    assert statistics.n_samples == 900
    difference = np.abs(model.explained_variance - scratch.explained_variance).max()
    assert difference <= 1e-9 * scratch.explained_variance[0]
    np.testing.assert_allclose(model.components, scratch.components, atol=1e-9)


def test_a_refit_after_a_change_is_of_all_that_is_current(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    reduce(spark, layout.output, runs, 3)
    changed = features(10, seed=1)
    counts = dataclasses.replace(manifest("2", 10, "n").counts, n_outdated=1)
    runs.append(dataclasses.replace(put_run(layout, "2", changed), counts=counts))
    noted(layout, "1", [f"a/1-{index}.jpg" for index in range(20)], Outcome.FEATURES)
    paths = [f"a/2-{index}.jpg" for index in range(10)]
    noted(layout, "2", paths, Outcome.FEATURES, gone=["a/1-3.jpg"])
    _, statistics, sample = fit_all(lambda: spark.sparkContext, layout, runs)
    kept = np.delete(features(20), 3, axis=0)
    scratch = PCAStatistics.from_features(np.concatenate([kept, changed]))
    assert (statistics.n_samples, sample.n_images) == (29, 29)
    np.testing.assert_allclose(statistics.scatter, scratch.scatter, rtol=1e-9, atol=1e-9)


def noted(layout, run_id, paths, outcome, *, gone=()):
    rows = [{"path": path, "outcome": str(outcome)} for path in paths]
    rows += [{"path": path, "outcome": str(Outcome.GONE)} for path in gone]
    write_table(pa.Table.from_pylist(rows, CHANGES), layout.changes(run_id))


def test_a_model_fitted_elsewhere_projects_into_the_same_space(spark, layout, tmp_path):
    record, _ = reduce(spark, layout.output, [put_run(layout, "1", features(40))], 3)
    other = OutputLayout(parse_location(str(tmp_path / "other")))
    data = features(10, seed=5)
    runs = [put_run(other, "7", data)]
    projected, is_new = reduce(
        spark, other.output, runs, pca_model=layout.pca_model(record.model_id)
    )
    assert is_new
    assert projected.model_id == record.model_id
    assert not projected.fitted_here
    assert (projected.fitted_on, projected.runs, projected.n_samples) == (["1"], ["7"], 40)
    model, _ = load_pca_model(layout.pca_model(record.model_id))
    rows = reduced_rows(other, record.model_id)
    found = np.stack([rows[f"a/7-{index}.jpg"] for index in range(10)])
    np.testing.assert_allclose(found, project(model, data), atol=1e-5)


def test_a_given_model_goes_on_with_what_it_has_projected(spark, layout, tmp_path):
    given, _ = reduce(spark, layout.output, [put_run(layout, "1", features(20))], 3)
    folder = layout.pca_model(given.model_id)
    other = OutputLayout(parse_location(str(tmp_path / "other")))
    runs = [put_run(other, "1", features(20, seed=1))]
    record, _ = reduce(spark, other.output, runs, pca_model=folder)
    runs.append(put_run(other, "2", features(10, seed=2)))
    made = reduction(spark, other.output, runs, pca_model=folder)
    assert (made.record, made.is_new_model, made.n_projected) == (record, False, 10)
    assert made.fit is not None  # what the model was fitted on came with it
    assert len(reduced_rows(other, record.model_id)) == 30


def test_a_projection_with_an_older_model_is_the_newest_of_its_output(
    spark, layout, tmp_path, monkeypatch
):
    clock = iter(datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3))
    monkeypatch.setattr(ids, "_now", lambda: next(clock))
    older, _ = reduce(spark, layout.output, [put_run(layout, "1", features(20))], 3)
    other = OutputLayout(parse_location(str(tmp_path / "other")))
    runs = [put_run(other, "1", features(20, seed=1))]
    fitted, _ = reduce(spark, other.output, runs, 3)
    projected, _ = reduce(spark, other.output, runs, pca_model=layout.pca_model(older.model_id))
    assert older.model_id < fitted.model_id < projected.model_id
    assert projected.fitted_model_id == older.model_id
    assert models(other, "1") == [fitted.model_id, projected.model_id]


def test_a_model_of_another_network_is_refused(spark, layout, tmp_path):
    record, _ = reduce(spark, layout.output, [put_run(layout, "1", features(20))], 3)
    other = OutputLayout(parse_location(str(tmp_path / "other")))
    runs = [put_run(other, "1", features(20), network="another")]
    with pytest.raises(FruitsError, match="fitted on features of another network"):
        reduce(spark, other.output, runs, pca_model=layout.pca_model(record.model_id))
    assert not models(other, "1")


def test_a_place_without_a_model_is_refused_with_what_to_give(spark, layout):
    runs = [put_run(layout, "1", features(20))]
    with pytest.raises(FruitsError, match="give a folder OUTPUT/pca_model/<model_id>"):
        reduce(spark, layout.output, runs, pca_model=layout.output.child("nowhere"))


def test_no_finished_run_gets_the_command_that_makes_one(spark, layout):
    with pytest.raises(FruitsError, match="make one with: fruits featurize"):
        reduce(spark, layout.output, [])


@pytest.mark.parametrize(
    ("data", "n_components", "sentence"),
    [
        (features(1), 1, "at least 2"),
        (features(5), 10, "--n-components"),
        (np.ones((6, N_FEATURES)), 2, "are the same"),
        (np.full((6, N_FEATURES), np.nan), 2, "6"),
    ],
    ids=["one image", "fewer images than components", "all alike", "not a number"],
)
def test_features_that_allow_no_pca_get_a_sentence_and_leave_nothing(
    spark, layout, data, n_components, sentence
):
    runs = [put_run(layout, "1", data)]
    with pytest.raises(FruitsError, match=sentence):
        reduce(spark, layout.output, runs, n_components)
    assert not models(layout, "1")


def test_a_lost_row_fails_the_reduction(either_way, layout):
    runs = [put_run(layout, "1", features(20))]
    file = f"{layout.features('1').base}/part.parquet"
    rows = pyarrow.parquet.ParquetFile(file).read()
    pyarrow.parquet.write_table(rows.slice(0, 3), file)
    options = ReduceOptions(layout.output, 2, None, False, verbose=False)
    with pytest.raises(FruitsError, match="20 rows of features gave 3 reduced rows"):
        reduce_features(either_way, options, runs)
    assert not models(layout, "1")


def test_a_record_is_its_json(spark, layout):
    record, _ = reduce(spark, layout.output, [put_run(layout, "1", features(20))], 2)
    assert dataclasses.asdict(record)["n_components"] == len(record.explained_variance) == 2
