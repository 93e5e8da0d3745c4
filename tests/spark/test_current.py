"""Features are summed up and projected file by file: in tasks as in this process."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from py4j.protocol import Py4JJavaError

from spark_assets.chain import current
from spark_assets.chain.current import project_files, summarize
from spark_assets.errors import FruitsError
from spark_assets.jobs.failures import sentence_of
from spark_assets.output import table_files
from spark_assets.output.layout import OutputLayout
from spark_assets.output.table_files import CurrentFiles, RowChoice, files_of
from spark_assets.pca import batches, sample
from spark_assets.pca.left_out import Measures
from spark_assets.pca.model import fit, project
from spark_assets.pca.sample import measure, path_hash, reference_of
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import REDUCED
from tests.conftest import no_spark
from tests.spark.runs import files_under

N_SAMPLES, N_FEATURES = 120, 6
RUN = "20260101T000000Z-000000"
VECTORS = pa.list_(pa.float32())


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    mixing = np.diag(2.0 ** -np.arange(N_FEATURES)) @ rng.normal(size=(N_FEATURES, N_FEATURES))
    return (rng.normal(size=(N_SAMPLES, N_FEATURES)) @ mixing + 3).astype(np.float32)


@pytest.fixture(scope="module")
def expected(matrix):
    return PCAStatistics.from_features(matrix)


@pytest.fixture
def layout(tmp_path):
    return OutputLayout(parse_location(str(tmp_path / "out")))


def path_of(number):
    return f"kind {number % 3}/{number}.jpg"


def put(layout, parts, *, run_id=RUN, outdated=(), vectors=VECTORS):
    """Write a file for each part of a table of features; return what of them is current."""
    folder = layout.features(run_id)
    os.makedirs(folder.base, exist_ok=True)
    first = 0
    for number, part in enumerate(parts):
        rows = range(first, first := first + len(part))
        table = pa.table(
            {
                "path": pa.array([path_of(row) for row in rows], pa.string()),
                "label": pa.array([f"kind {r % 3}" if r % 5 else None for r in rows], pa.string()),
                "width": pa.array([1] * len(part), pa.int32()),
                "features": pa.array(list(part), vectors),
            }
        )
        pyarrow.parquet.write_table(table, f"{folder.base}/part-{number:05d}.zstd.parquet")
    choice = RowChoice({run_id: pa.array(outdated, pa.string())} if outdated else {}, but=True)
    return CurrentFiles(files_of({run_id: folder}), choice, first - len(outdated))


def statistics_of(session, features):
    return summarize(session, features, [RUN]).statistics


def assert_same(one, other):
    assert (one.n_samples, one.n_not_finite) == (other.n_samples, other.n_not_finite)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.scatter, other.scatter, rtol=0, atol=1e-12 * N_SAMPLES)


def refused(session, features) -> str:
    """Return the sentence that a command tells."""
    with pytest.raises((FruitsError, Py4JJavaError)) as caught:
        summarize(session, features, [RUN])
    return sentence_of(caught.value)


@pytest.mark.parametrize("sizes", [[120], [1, 118, 1], [0, 50, 0, 70], [17] * 7 + [1]])
def test_how_rows_lie_in_files_does_not_change_the_summary(
    either_way, layout, matrix, expected, sizes
):
    features = put(layout, np.split(matrix, np.cumsum(sizes)[:-1]))
    summary = summarize(either_way, features, [RUN])
    assert_same(summary.statistics, expected)
    assert (summary.sample.n_images, summary.sample.rows.num_rows) == (N_SAMPLES, N_SAMPLES)
    assert summary.sample.labels == {"kind 0", "kind 1", "kind 2"}


def test_rows_that_no_longer_count_are_in_no_summary(either_way, layout, matrix):
    gone = [0, 3, 77, 119]
    features = put(layout, np.array_split(matrix, 4), outdated=[path_of(row) for row in gone])
    kept = np.delete(matrix, gone, axis=0)
    summary = summarize(either_way, features, [RUN])
    assert_same(summary.statistics, PCAStatistics.from_features(kept))
    paths = set(summary.sample.rows["path"].to_pylist())
    assert paths == {path_of(row) for row in range(N_SAMPLES) if row not in gone}


def test_a_file_of_which_no_row_counts_is_as_if_it_were_not_there(either_way, layout, matrix):
    gone = [path_of(row) for row in range(40)]
    features = put(layout, np.array_split(matrix, 3), outdated=gone)
    assert_same(statistics_of(either_way, features), PCAStatistics.from_features(matrix[40:]))


def test_runs_that_are_not_counted_are_sampled_alone(either_way, layout, matrix):
    features = put(layout, [matrix])
    summary = summarize(either_way, features, counted=())
    assert summary.statistics.n_samples == 0
    assert summary.sample.rows.num_rows == N_SAMPLES


def test_the_same_files_give_the_same_digits(either_way, layout, matrix):
    features = put(layout, np.array_split(matrix, 11))
    one, other = (statistics_of(either_way, features) for _ in range(2))
    np.testing.assert_array_equal(one.scatter, other.scatter)
    np.testing.assert_array_equal(one.mean, other.mean)


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
@pytest.mark.parametrize("block_rows", [5, 2048])
def test_the_size_of_batches_and_blocks_does_not_change_the_statistics(
    layout, matrix, expected, batch_rows, block_rows, monkeypatch
):
    monkeypatch.setattr(batches, "_BLOCK_ROWS", block_rows)
    monkeypatch.setattr(table_files, "_BATCH_ROWS", batch_rows)
    assert_same(statistics_of(no_spark, put(layout, [matrix])), expected)
    kept = PCAStatistics.from_features(np.delete(matrix, [5, 60], axis=0))
    features = put(layout, [matrix], outdated=[path_of(5), path_of(60)])
    assert_same(statistics_of(no_spark, features), kept)


def test_no_features_have_no_statistics_and_no_pca(either_way, layout):
    for features in (put(layout, [[]]), CurrentFiles([], RowChoice({}, but=True), 0)):
        summary = summarize(either_way, features, [RUN])
        assert summary.statistics.n_samples == summary.statistics.n_features == 0
        assert summary.sample.n_images == 0
        with pytest.raises(FruitsError, match="at least 2 images, got no images"):
            fit(summary.statistics, 0.95)


def test_vectors_that_are_not_finite_are_counted_and_left_out(either_way, layout, matrix):
    vectors = matrix.tolist()
    vectors[3][2] = float("nan")
    vectors[77][0] = float("-inf")
    vectors[100][5] = None
    vectors[101] = None
    statistics = statistics_of(either_way, put(layout, [vectors[:50], vectors[50:]]))
    expected = PCAStatistics.from_features(np.delete(matrix, [3, 77, 100, 101], axis=0))
    assert_same(statistics, expected.merge(PCAStatistics.empty(n_not_finite=4)))


def test_double_features_keep_all_their_digits(layout):
    vectors = 1e6 + np.random.default_rng(0).normal(size=(50, 3))
    features = put(layout, [vectors], vectors=pa.list_(pa.float64()))
    statistics = statistics_of(no_spark, features)
    np.testing.assert_allclose(statistics.scatter / 49, np.cov((vectors - 1e6).T), rtol=1e-9)


def test_vectors_of_different_lengths_are_refused_in_one_file_and_in_two(
    either_way, layout, matrix
):
    sentence = "the features table mixes vectors of 2 and 6 features"
    assert sentence in refused(either_way, put(layout, [[*matrix.tolist(), [1.0, 2.0]]]))
    one, other = put(layout, [[[1.0, 2.0]] * 3, matrix[:3]]).files
    for files in ([one, other], [other, one]):
        told = refused(either_way, CurrentFiles(files, RowChoice({}, but=True), 6))
        assert "the features table mixes vectors of" in told


def test_the_sample_is_of_the_smallest_hashes_however_rows_lie(
    either_way, layout, matrix, monkeypatch
):
    # Of 120 images one or two more than 4 are kept, as of a million a few more than 1,000.
    monkeypatch.setattr(sample, "MAX_SAMPLE", 4)
    by_hash = sorted(range(N_SAMPLES), key=lambda row: path_hash(path_of(row)))
    model = fit(PCAStatistics.from_features(matrix), 0.9)
    expected = Measures.of_new(model, matrix[by_hash[:4]])
    for n_files in (1, 5):
        found = summarize(either_way, put(layout, np.array_split(matrix, n_files)), ()).sample
        batch = measure(found, model)
        np.testing.assert_allclose(batch.measures.error, expected.error)
        assert (batch.n_images, batch.labels) == (N_SAMPLES, {"kind 0", "kind 1", "kind 2"})


def test_no_more_rows_are_kept_than_a_sample_needs(layout, matrix, monkeypatch):
    monkeypatch.setattr(sample, "MAX_SAMPLE", 4)
    found = summarize(no_spark, put(layout, np.array_split(matrix, 5)), ()).sample
    assert 4 <= found.rows.num_rows <= 30


def test_more_labels_than_are_compared_are_none(layout, matrix, monkeypatch):
    monkeypatch.setattr(sample, "MAX_LABELS", 2)
    assert summarize(no_spark, put(layout, np.array_split(matrix, 3)), ()).sample.labels is None
    monkeypatch.setattr(sample, "MAX_LABELS", 3)
    labels = summarize(no_spark, put(layout, np.array_split(matrix, 3)), ()).sample.labels
    assert labels == {"kind 0", "kind 1", "kind 2"}


def test_images_without_finite_features_are_counted_and_not_measured(layout, matrix, expected):
    spoilt = matrix.copy()
    spoilt[3, 2], spoilt[5, 0] = np.nan, np.inf
    batch = measure(summarize(no_spark, put(layout, [spoilt]), ()).sample, fit(expected, 0.9))
    assert (batch.n_images, batch.n_not_finite) == (N_SAMPLES, 2)
    assert len(batch.measures) == N_SAMPLES - 2


def test_the_fitted_set_is_known_by_errors_as_of_new_images(layout, matrix, expected):
    model = fit(expected, 0.9)
    found = summarize(no_spark, put(layout, [matrix]), ()).sample
    reference = reference_of(found, model, expected)
    assert reference.labels == {"kind 0", "kind 1", "kind 2"}
    assert len(reference.measures) == N_SAMPLES
    assert reference.measures.error.mean() > Measures.of_new(model, matrix).error.mean()


def reduced(layout) -> dict[str, pa.Table]:
    """Return the reduced files by name."""
    folder = layout.reduced_by("m", RUN)
    read = pyarrow.parquet.ParquetFile
    return {f.name: read(f.location.base).read() for f in files_of({RUN: folder})}


def test_each_file_of_features_gives_a_file_of_reduced_rows(either_way, layout, matrix, expected):
    model = fit(expected, 3)
    parts = [matrix[:50], [], matrix[50:]]
    features = put(layout, parts, outdated=[path_of(7)])
    assert project_files(either_way, features, model, layout, "m") == N_SAMPLES - 1
    files = reduced(layout)
    assert list(files) == [file.name for file in features.files]
    assert [table.num_rows for table in files.values()] == [49, 0, 70]
    table = pa.concat_tables(files.values())
    assert table.schema.equals(REDUCED)
    kept = [row for row in range(N_SAMPLES) if row != 7]
    assert table["path"].to_pylist() == [path_of(row) for row in kept]
    assert table["label"].to_pylist() == [f"kind {r % 3}" if r % 5 else None for r in kept]
    found = np.array(table["pca_features"].to_pylist(), np.float32)
    np.testing.assert_allclose(found, project(model, matrix[kept]), atol=1e-6)


def test_a_task_that_is_tried_again_leaves_the_same_files(layout, matrix, expected):
    features = put(layout, np.array_split(matrix, 3))
    work = (features.choice, fit(expected, 3), layout, "m")
    folder = layout.reduced_by("m", RUN).base
    os.makedirs(folder)
    missing = dataclasses.replace(
        features.files[1], location=layout.features(RUN).child("lost.parquet")
    )
    with pytest.raises(FileNotFoundError):
        current._project(*work, [features.files[0], missing, features.files[2]])
    assert os.listdir(folder) == ["part-00000.zstd.parquet"]  # whole, and nothing half
    made = []
    for _ in range(2):
        assert current._project(*work, features.files) == N_SAMPLES
        assert sorted(os.listdir(folder)) == [file.name for file in features.files]
        made.append(files_under(Path(folder)))
    assert made[0] == made[1]


def test_features_of_another_length_are_not_projected(either_way, layout, expected):
    features = put(layout, [[[1.0, 2.0]]])
    with pytest.raises((FruitsError, Py4JJavaError)) as caught:
        project_files(either_way, features, fit(expected, 3), layout, "m")
    assert "hold 2 features, but the PCA model was fitted on 6" in sentence_of(caught.value)


@pytest.mark.slow
def test_workers_import_neither_tensorflow_nor_scikit_learn_nor_scipy():
    program = (
        "import sys, spark_assets.chain.current;"
        "print({'tensorflow', 'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"
