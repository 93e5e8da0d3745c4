"""Features are summed up and projected file by file: in tasks as in this process."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest
from py4j.protocol import Py4JJavaError

from spark_assets.chain import pca_over_files
from spark_assets.chain.pca_over_files import project_files, summarize
from spark_assets.errors import FruitsError
from spark_assets.jobs.error_reports import sentence_of
from spark_assets.output import parquet_tables
from spark_assets.output.commit import begin, commit
from spark_assets.output.parquet_tables import TableFile
from spark_assets.pca import batches, drift_sample
from spark_assets.pca.drift_sample import measure, path_hash, reference_of
from spark_assets.pca.model import fit, project
from spark_assets.pca.reconstruction import Measures
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.locations import parse_location
from spark_assets.storage.schemas import REDUCED
from tests.conftest import no_spark
from tests.spark.made_tables import put_table
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
def out(tmp_path):
    return tmp_path / "out"


def path_of(number):
    return f"kind {number % 3}/{number}.jpg"


def put(out, parts, *, run_ids=(RUN,), vectors=VECTORS):
    """Write a file of features for each part of a table, the rows of runs in turn."""
    files, first = [], 0
    for number, part in enumerate(parts):
        rows = range(first, first := first + len(part))
        table = pa.table(
            {
                "path": pa.array([path_of(row) for row in rows], pa.string()),
                "label": pa.array([f"kind {r % 3}" if r % 5 else None for r in rows], pa.string()),
                "width": pa.array([1] * len(part), pa.int32()),
                "run_id": pa.array([run_ids[row % len(run_ids)] for row in rows], pa.string()),
                "features": pa.array(list(part), vectors),
            }
        )
        files.append(put_table(out, f"features/{number:05d}.parquet", table))
    return files


def summary_of(session, files, counted=(RUN,)):
    return summarize(session, files, N_SAMPLES, counted)


def statistics_of(session, files):
    return summary_of(session, files).statistics


def assert_same(one, other):
    assert (one.n_samples, one.n_not_finite) == (other.n_samples, other.n_not_finite)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.scatter, other.scatter, rtol=0, atol=1e-12 * N_SAMPLES)


def refused(session, files) -> str:
    """Return the sentence that a command tells."""
    with pytest.raises((FruitsError, Py4JJavaError)) as caught:
        summary_of(session, files)
    return sentence_of(caught.value)


@pytest.mark.parametrize("sizes", [[120], [1, 118, 1], [0, 50, 0, 70], [17] * 7 + [1]])
def test_how_rows_lie_in_files_does_not_change_the_summary(
    either_way, out, matrix, expected, sizes
):
    features = put(out, np.split(matrix, np.cumsum(sizes)[:-1]))
    summary = summary_of(either_way, features)
    assert_same(summary.statistics, expected)
    assert (summary.sample.n_images, summary.sample.rows.num_rows) == (N_SAMPLES, N_SAMPLES)
    assert summary.sample.labels == {"kind 0", "kind 1", "kind 2"}


def test_runs_that_are_not_counted_are_sampled_alone(either_way, out, matrix):
    files = put(out, np.array_split(matrix, 4), run_ids=("1", "2", "3"))
    for counted in ((), ("2",), ("1", "3")):
        summary = summary_of(either_way, files, counted)
        is_counted = [str(row % 3 + 1) in counted for row in range(N_SAMPLES)]
        kept = PCAStatistics.from_features(matrix[is_counted]) if counted else PCAStatistics.empty()
        assert_same(summary.statistics, kept)
        assert summary.sample.rows.num_rows == N_SAMPLES


def test_the_same_files_give_the_same_digits(either_way, out, matrix):
    features = put(out, np.array_split(matrix, 11))
    one, other = (statistics_of(either_way, features) for _ in range(2))
    np.testing.assert_array_equal(one.scatter, other.scatter)
    np.testing.assert_array_equal(one.mean, other.mean)


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
@pytest.mark.parametrize("block_rows", [5, 2048])
def test_the_size_of_batches_and_blocks_does_not_change_the_statistics(
    out, matrix, expected, batch_rows, block_rows, monkeypatch
):
    monkeypatch.setattr(batches, "_BLOCK_ROWS", block_rows)
    monkeypatch.setattr(parquet_tables, "_BATCH_ROWS", batch_rows)
    assert_same(statistics_of(no_spark, put(out, [matrix])), expected)
    files = put(out, [matrix], run_ids=(RUN, "another"))
    assert_same(statistics_of(no_spark, files), PCAStatistics.from_features(matrix[::2]))


def test_no_features_have_no_statistics_and_no_pca(either_way, out):
    for files in (put(out, [[]]), []):
        summary = summary_of(either_way, files)
        assert summary.statistics.n_samples == summary.statistics.n_features == 0
        assert summary.sample.n_images == 0
        with pytest.raises(FruitsError, match="at least 2 images, got no images"):
            fit(summary.statistics, 0.95)


def test_vectors_that_are_not_finite_are_counted_and_left_out(either_way, out, matrix):
    vectors = matrix.tolist()
    vectors[3][2] = float("nan")
    vectors[77][0] = float("-inf")
    vectors[100][5] = None
    vectors[101] = None
    statistics = statistics_of(either_way, put(out, [vectors[:50], vectors[50:]]))
    expected = PCAStatistics.from_features(np.delete(matrix, [3, 77, 100, 101], axis=0))
    assert_same(statistics, expected.merge(PCAStatistics.empty(n_not_finite=4)))


def test_double_features_keep_all_their_digits(out):
    vectors = 1e6 + np.random.default_rng(0).normal(size=(50, 3))
    features = put(out, [vectors], vectors=pa.list_(pa.float64()))
    statistics = statistics_of(no_spark, features)
    np.testing.assert_allclose(statistics.scatter / 49, np.cov((vectors - 1e6).T), rtol=1e-9)


def test_vectors_of_different_lengths_are_refused_in_one_file_and_in_two(either_way, out, matrix):
    sentence = "the features table mixes vectors of 2 and 6 features"
    assert sentence in refused(either_way, put(out, [[*matrix.tolist(), [1.0, 2.0]]]))
    one, other = put(out, [[[1.0, 2.0]] * 3, matrix[:3]])
    for files in ([one, other], [other, one]):
        assert "the features table mixes vectors of" in refused(either_way, files)


def test_the_sample_is_of_the_smallest_hashes_however_rows_lie(
    either_way, out, matrix, monkeypatch
):
    # Of 120 images one or two more than 4 are kept, as of a million a few more than 1,000.
    monkeypatch.setattr(drift_sample, "MAX_SAMPLE", 4)
    by_hash = sorted(range(N_SAMPLES), key=lambda row: path_hash(path_of(row)))
    model = fit(PCAStatistics.from_features(matrix), 0.9)
    expected = Measures.of_new(model, matrix[by_hash[:4]])
    for n_files in (1, 5):
        found = summary_of(either_way, put(out, np.array_split(matrix, n_files)), ()).sample
        batch = measure(found, model)
        np.testing.assert_allclose(batch.measures.error, expected.error)
        assert (batch.n_images, batch.labels) == (N_SAMPLES, {"kind 0", "kind 1", "kind 2"})


def test_no_more_rows_are_kept_than_a_sample_needs(out, matrix, monkeypatch):
    monkeypatch.setattr(drift_sample, "MAX_SAMPLE", 4)
    found = summary_of(no_spark, put(out, np.array_split(matrix, 5)), ()).sample
    assert 4 <= found.rows.num_rows <= 30


def test_more_labels_than_are_compared_are_none(out, matrix, monkeypatch):
    monkeypatch.setattr(drift_sample, "MAX_LABELS", 2)
    assert summary_of(no_spark, put(out, np.array_split(matrix, 3)), ()).sample.labels is None
    monkeypatch.setattr(drift_sample, "MAX_LABELS", 3)
    labels = summary_of(no_spark, put(out, np.array_split(matrix, 3)), ()).sample.labels
    assert labels == {"kind 0", "kind 1", "kind 2"}


def test_images_without_finite_features_are_counted_and_not_measured(out, matrix, expected):
    spoilt = matrix.copy()
    spoilt[3, 2], spoilt[5, 0] = np.nan, np.inf
    batch = measure(summary_of(no_spark, put(out, [spoilt]), ()).sample, fit(expected, 0.9))
    assert (batch.n_images, batch.n_not_finite) == (N_SAMPLES, 2)
    assert len(batch.measures) == N_SAMPLES - 2


def test_the_fitted_set_is_known_by_errors_as_of_new_images(out, matrix, expected):
    model = fit(expected, 0.9)
    found = summary_of(no_spark, put(out, [matrix]), ()).sample
    reference = reference_of(found, model, expected)
    assert reference.labels == {"kind 0", "kind 1", "kind 2"}
    assert len(reference.measures) == N_SAMPLES
    assert reference.measures.error.mean() > Measures.of_new(model, matrix).error.mean()


def projected(session, out, files, model, n_rows=N_SAMPLES) -> dict[str, pa.Table]:
    """Project features, and return the files of reduced rows by name."""
    place = parse_location(str(out))
    with begin(place, "one") as change:
        project_files(session, files, n_rows, model, change)
        commit(change)
    found = sorted((out / "reduced").iterdir())
    return {file.name: pyarrow.parquet.ParquetFile(file).read() for file in found}


def test_each_file_of_features_gives_a_file_of_reduced_rows(either_way, out, matrix, expected):
    model = fit(expected, 3)
    features = put(out, [matrix[:50], [], matrix[50:]])
    files = projected(either_way, out, features, model)
    assert list(files) == [file.name for file in features]
    assert [table.num_rows for table in files.values()] == [50, 0, 70]
    table = pa.concat_tables(files.values())
    assert table.schema.equals(REDUCED)
    rows = range(N_SAMPLES)
    assert table["path"].to_pylist() == [path_of(row) for row in rows]
    assert table["label"].to_pylist() == [f"kind {r % 3}" if r % 5 else None for r in rows]
    found = np.array(table["pca_features"].to_pylist(), np.float32)
    np.testing.assert_allclose(found, project(model, matrix), atol=1e-6)


def test_a_lost_row_is_told_and_nothing_is_kept(either_way, out, matrix, expected):
    files = put(out, [matrix[:50], matrix[51:]])
    before = files_under(out)
    with pytest.raises(FruitsError, match="120 rows of features gave 119 reduced rows"):
        projected(either_way, out, files, fit(expected, 3))
    assert files_under(out) == before


def test_a_task_that_is_tried_again_leaves_the_same_files(out, matrix, expected):
    features = put(out, np.array_split(matrix, 3))
    (out / "reduced").mkdir()
    work = (fit(expected, 3), parse_location(str(out / "reduced")))
    missing = TableFile("features/lost", parse_location(str(out / "features" / "lost")))
    with pytest.raises(FileNotFoundError):
        pca_over_files._project(*work, [features[0], missing, features[2]])
    assert [file.name for file in (out / "reduced").iterdir()] == [features[0].name]
    made = []
    for _ in range(2):
        assert pca_over_files._project(*work, features) == N_SAMPLES
        made.append(files_under(out / "reduced"))
    assert list(made[0]) == [file.name for file in features]
    assert made[0] == made[1]


def test_features_of_another_length_are_not_projected(either_way, out, expected):
    files = put(out, [[[1.0, 2.0]]])
    with pytest.raises((FruitsError, Py4JJavaError)) as caught:
        projected(either_way, out, files, fit(expected, 3), n_rows=1)
    assert "hold 2 features, but the PCA model was fitted on 6" in sentence_of(caught.value)
