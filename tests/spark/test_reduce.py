import dataclasses
import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from spark_assets.chain.fit_and_project import Reduction, reduce_features
from spark_assets.chain.options import ReduceOptions
from spark_assets.chain.remove_rows import keep_columns, remove_rows
from spark_assets.errors import FruitsError
from spark_assets.output.commit import begin, commit
from spark_assets.output.output import Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.output.pca_model import (
    load_fit,
    load_pca_model,
    load_reference,
    load_statistics,
    pca_record,
)
from spark_assets.pca.model import PCAModel, fit, project
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location
from tests.conftest import no_spark
from tests.spark.made_tables import feature_rows, put_run, spoil
from tests.spark.runs import files_under, put, rows_of

N_FEATURES = 12


@pytest.fixture
def out(tmp_path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def other(tmp_path) -> Path:
    return tmp_path / "other"


def open_output(out: Path) -> Output:
    return Output.open(parse_location(str(out)))


def put_features(out: Path, run_id: str, vectors: np.ndarray, **options: str) -> None:
    """Write a finished run without looking at an image."""
    paths = [f"a/{run_id}-{index:03d}.jpg" for index in range(len(vectors))]
    put_run(out, run_id, feature_rows(paths, run_id, vectors), **options)


def remove(out: Path, *paths: str) -> None:
    """Remove images as a run does that finds them gone."""
    output = open_output(out)
    held = read_narrow(table_files(output, "features"), schemas.FEATURES, ("path",))
    gone = held.filter(pa.array([path in paths for path in held["path"].to_pylist()]))
    with begin(output.location, "removal") as change:
        remove_rows(no_spark, output, change, gone)
        keep_columns(output, change)
        commit(change)


def model_of(out: Path) -> PCAModel:
    return load_pca_model(open_output(out).folder("pca_model"))[0]


def features(n: int, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    scale = np.linspace(3, 0.1, N_FEATURES)
    return (5 + generator.normal(size=(n, N_FEATURES)) * scale).astype(np.float32)


def reduced_rows(out: Path) -> dict[str, np.ndarray]:
    rows = rows_of(out, "reduced")
    assert rows.schema.equals(schemas.REDUCED)
    found = {row["path"]: np.array(row["pca_features"], np.float32) for row in rows.to_pylist()}
    assert len(found) == rows.num_rows
    return found


def reduce(
    out: Path, n_components=None, *, pca_model: Path | None = None, refit=False, spark=no_spark
) -> Reduction:
    given = None if pca_model is None else parse_location(str(pca_model))
    place = parse_location(str(out))
    return reduce_features(spark, ReduceOptions(place, n_components, given, refit))


def assert_projected(out: Path, run_id: str, vectors: np.ndarray, model: PCAModel) -> None:
    rows = reduced_rows(out)
    found = np.stack([rows[f"a/{run_id}-{index:03d}.jpg"] for index in range(len(vectors))])
    np.testing.assert_allclose(found, project(model, vectors), atol=1e-5)


def test_every_image_is_projected_with_the_saved_model(out, either_way):
    data = features(50)
    put_features(out, "1", data)
    made = reduce(out, 3, spark=either_way)
    assert (made.is_new_model, made.n_projected, made.n_images) == (True, 50, 50)
    record = made.record
    assert pca_record(open_output(out)) == record
    assert (record.n_components, record.n_samples, record.fitted_on) == (3, 50, {"1": 50})
    assert record.fitted_here
    assert record.fitted_model_id == record.model_id
    assert_projected(out, "1", data, model_of(out))
    names = [{file.name for file in (out / each).iterdir()} for each in ("features", "reduced")]
    assert names[0] == names[1]


def test_the_same_request_on_the_same_images_is_not_done_again(out):
    put_features(out, "1", features(20))
    first = reduce(out, 3).record
    before = files_under(out)
    for options in ({}, {"n_components": 3}, {"refit": True}, {"pca_model": out / "pca_model"}):
        again = reduce(out, **options)
        assert (again.record, again.has_changed) == (first, False)
        assert files_under(out) == before
    made = reduce(out, 4)
    assert made.is_new_model
    assert made.record.model_id > first.model_id


def test_new_images_are_projected_with_the_model_that_is_there(out):
    put_features(out, "1", features(20))
    record = reduce(out, 3).record
    before, model = reduced_rows(out), model_of(out)
    data = features(10, seed=1)
    put_features(out, "2", data)
    made = reduce(out)
    assert (made.record, made.is_new_model, made.n_projected) == (record, False, 10)
    after = reduced_rows(out)
    assert all((after[path] == row).all() for path, row in before.items())
    assert_projected(out, "2", data, model)
    assert load_fit(open_output(out)) == made.fit_quality.to_json()
    assert reduce(out).n_projected == 0


def test_only_what_is_new_is_read_to_project_it(out):
    put_features(out, "1", features(20))
    reduce(out, 3)
    for file in table_files(open_output(out), "features"):
        spoil(file, *schemas.FEATURES.names)
    put_features(out, "2", features(10, seed=1))
    assert reduce(out).n_projected == 10


def test_a_refit_is_of_all_images_and_takes_the_place_of_the_old_model(out):
    put_features(out, "1", features(20))
    first = reduce(out, 3).record
    put_features(out, "2", features(10, seed=1))
    reduce(out)
    put(out, "classifier/classifier.json", b"{}")
    made = reduce(out, refit=True)
    record = made.record
    assert (made.is_new_model, made.n_projected) == (True, 30)
    assert (record.n_samples, record.fitted_on, record.n_components) == (30, {"1": 20, "2": 10}, 3)
    assert record.model_id > first.model_id
    data = np.concatenate([features(20), features(10, seed=1)])
    scratch = fit(PCAStatistics.from_features(data), 3)
    assert_same_model(model_of(out), scratch)
    for run_id, part in (("1", data[:20]), ("2", data[20:])):
        assert_projected(out, run_id, part, model_of(out))
    assert load_fit(open_output(out)) is None
    assert not (out / "classifier").exists()  # it worked in the space of the old one


def assert_same_model(model: PCAModel, scratch: PCAModel) -> None:
    """The contract of refits: equal to a fit from scratch within 1e-9."""
    difference = np.abs(model.explained_variance - scratch.explained_variance).max()
    assert difference <= 1e-9 * scratch.explained_variance[0]
    np.testing.assert_allclose(model.components, scratch.components, atol=1e-9)
    np.testing.assert_allclose(model.mean, scratch.mean, atol=1e-9)


def test_a_refit_after_additions_equals_a_fit_from_scratch_and_counts_only_them(either_way, out):
    parts = [features(300, seed=seed) + seed for seed in range(3)]
    put_features(out, "1", parts[0])
    reduce(out, N_FEATURES, spark=either_way)
    put_features(out, "1", features(300, seed=9))  # as nobody may: what was counted is not again
    for run_id, part in zip(("2", "3"), parts[1:], strict=True):
        put_features(out, run_id, part)
    assert reduce(out, refit=True, spark=either_way).record.n_samples == 900
    assert_same_model(model_of(out), fit(PCAStatistics.from_features(np.concatenate(parts)), 12))
    assert load_reference(open_output(out).folder("pca_model")) is not None


def test_a_refit_after_a_change_is_of_all_that_is_there(out):
    put_features(out, "1", features(20))
    reduce(out, 3)
    remove(out, "a/1-003.jpg")
    changed = features(10, seed=1)
    put_features(out, "2", changed)
    reduce(out)
    assert reduce(out, refit=True).record.fitted_on == {"1": 19, "2": 10}
    kept = np.delete(features(20), 3, axis=0)
    scratch = PCAStatistics.from_features(np.concatenate([kept, changed]))
    statistics = load_statistics(open_output(out))
    assert statistics.n_samples == 29
    np.testing.assert_allclose(statistics.scatter, scratch.scatter, rtol=1e-9, atol=1e-9)


def test_what_is_gone_leaves_the_model_in_place_until_a_refit(out):
    put_features(out, "1", features(20))
    record = reduce(out, 3).record
    remove(out, "a/1-003.jpg")
    made = reduce(out)
    assert (made.record, made.has_changed, made.n_images) == (record, False, 19)
    assert len(reduced_rows(out)) == 19
    assert reduce(out, refit=True).record.n_samples == 19


def test_an_output_that_has_lost_all_its_images_reduces_new_ones_as_before(out):
    put_features(out, "1", features(3))
    record = reduce(out, 2).record
    remove(out, *(f"a/1-{index:03d}.jpg" for index in range(3)))
    made = reduce(out)
    assert (made.record, made.has_changed, made.n_images) == (record, False, 0)
    assert reduced_rows(out) == {}
    put_features(out, "2", features(4))
    assert reduce(out).n_projected == 4
    assert_projected(out, "2", features(4), model_of(out))


def test_a_model_fitted_elsewhere_projects_into_the_same_space(out, other):
    put_features(out, "1", features(40))
    source = reduce(out, 3).record
    data = features(10, seed=5)
    put_features(other, "7", data)
    made = reduce(other, pca_model=out / "pca_model")
    record = made.record
    assert made.is_new_model
    assert (record.model_id, record.fitted_here) == (source.model_id, False)
    assert (record.fitted_on, record.n_samples) == ({"1": 40}, 40)
    assert_projected(other, "7", data, model_of(out))
    assert load_statistics(open_output(other)) is None  # they are of other photographs


def test_a_given_model_goes_on_with_what_it_has_projected(out, other):
    put_features(out, "1", features(20))
    reduce(out, 3)
    put_features(other, "1", features(20, seed=1))
    record = reduce(other, pca_model=out / "pca_model").record
    put_features(other, "2", features(10, seed=2))
    made = reduce(other, pca_model=out / "pca_model")
    assert (made.record, made.is_new_model, made.n_projected) == (record, False, 10)
    assert made.fit_quality is not None  # what the model was fitted on came with it
    assert len(reduced_rows(other)) == 30


def test_a_given_model_takes_the_place_of_one_that_was_fitted_and_the_other_way_round(out, other):
    for folder, seed in ((out, 0), (other, 1)):
        put_features(folder, "1", features(20, seed=seed))
        reduce(folder, 3)
    fitted = model_of(other)
    given = reduce(other, pca_model=out / "pca_model")
    assert given.is_new_model
    assert_projected(other, "1", features(20, seed=1), model_of(out))
    assert reduce(other).record == given.record  # which stays until another is asked for
    again = reduce(other, 3)
    assert (again.is_new_model, again.record.fitted_here) == (True, True)
    assert_same_model(model_of(other), fitted)


def test_a_model_comes_after_the_one_that_it_replaces_whatever_the_clock_says(out):
    put_features(out, "1", features(20))
    record = reduce(out, 3).record
    future = dataclasses.asdict(record) | {"model_id": "29990101T000000Z-ffffff"}
    put(out, "pca_model/model.json", json.dumps(future).encode())
    assert reduce(out, 4).record.model_id > future["model_id"]


def test_a_model_of_another_network_is_refused_and_nothing_is_touched(out, other):
    put_features(out, "1", features(20))
    reduce(out, 3)
    put_features(other, "1", features(20), network="another")
    before = files_under(other)
    with pytest.raises(FruitsError, match="fitted on features of another network"):
        reduce(other, pca_model=out / "pca_model")
    assert files_under(other) == before


def test_a_place_without_a_model_is_refused_with_what_to_give(out, other):
    put_features(out, "1", features(20))
    with pytest.raises(FruitsError, match="give a folder OUTPUT/pca_model"):
        reduce(out, pca_model=other)


def test_a_model_of_another_version_is_refused(out):
    put_features(out, "1", features(20))
    put(out, "pca_model/model.json", b'{"model_id": "1"}')
    with pytest.raises(FruitsError, match=r"model\.json does not describe a PCA model of this"):
        reduce(out)


def test_no_finished_run_gets_the_command_that_makes_one(out):
    with pytest.raises(FruitsError, match="make one with: fruits featurize"):
        reduce(out)


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
def test_features_that_allow_no_pca_get_a_sentence_and_nothing_is_touched(
    out, data, n_components, sentence
):
    put_features(out, "1", data)
    before = files_under(out)
    with pytest.raises(FruitsError, match=sentence):
        reduce(out, n_components)
    assert files_under(out) == before
