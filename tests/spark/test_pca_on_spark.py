import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyspark.errors import PythonException
from pyspark.sql import functions as F

from spark_assets.errors import FruitsError
from spark_assets.pca import batches, on_spark
from spark_assets.pca.model import fit, project
from spark_assets.pca.on_spark import compute_statistics, project_features
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.schemas import REDUCED, spark_schema

N_SAMPLES, N_FEATURES = 120, 6
ARROW_TABLE = pa.schema(
    [("path", pa.string()), ("label", pa.string()), ("features", pa.list_(pa.float32()))]
)


@pytest.fixture(scope="module")
def matrix():
    rng = np.random.default_rng(0)
    mixing = np.diag(2.0 ** -np.arange(N_FEATURES)) @ rng.normal(size=(N_FEATURES, N_FEATURES))
    return (rng.normal(size=(N_SAMPLES, N_FEATURES)) @ mixing + 3).astype(np.float32)


@pytest.fixture(scope="module")
def expected(matrix):
    return PCAStatistics.from_features(matrix)


def make_table(spark, vectors, *, n_partitions=1):
    """Return a features table of so many partitions, evenly filled."""
    columns = [
        pa.array([f"kind {i % 3}/{i}.jpg" for i in range(len(vectors))]),
        pa.array([f"kind {i % 3}" if i % 5 else None for i in range(len(vectors))], pa.string()),
        pa.array(list(vectors), pa.list_(pa.float32())),
    ]
    table = pa.Table.from_arrays(columns, schema=ARROW_TABLE)
    return spark.createDataFrame(table).repartition(n_partitions)


@pytest.fixture
def collected(monkeypatch):
    """Pretend to have 3 task slots; return how many partials the driver merges, call by call."""
    counts, merged = [], on_spark._merged

    def count(batches):
        counts.append(sum(batch.num_rows for batch in batches))
        return merged(batches)

    monkeypatch.setattr(on_spark, "n_task_slots", lambda spark: 3)
    monkeypatch.setattr(on_spark, "_merged", count)
    return counts


def assert_same(one, other):
    assert (one.n_samples, one.n_not_finite) == (other.n_samples, other.n_not_finite)
    np.testing.assert_allclose(one.mean, other.mean, rtol=1e-13)
    np.testing.assert_allclose(one.scatter, other.scatter, rtol=0, atol=1e-12 * N_SAMPLES)


@pytest.mark.parametrize("n_partitions", [1, 2, 7])
def test_the_partitioning_does_not_change_the_statistics(spark, matrix, expected, n_partitions):
    table = make_table(spark, matrix, n_partitions=n_partitions)
    assert_same(compute_statistics(table), expected)


def test_the_order_of_rows_does_not_change_the_statistics(spark, matrix, expected):
    shuffled = np.random.default_rng(1).permutation(matrix)
    assert_same(compute_statistics(make_table(spark, shuffled)), expected)


def test_empty_partitions_add_nothing(spark, matrix, collected):
    table = make_table(spark, matrix[:3], n_partitions=7)
    assert_same(compute_statistics(table), PCAStatistics.from_features(matrix[:3]))
    assert collected == [3]


@pytest.mark.parametrize("batch_rows", [1, 7, 1000])
@pytest.mark.parametrize("block_rows", [5, 2048])
def test_the_size_of_batches_and_blocks_does_not_change_the_statistics(
    matrix, expected, batch_rows, block_rows, monkeypatch
):
    monkeypatch.setattr(batches, "_BLOCK_ROWS", block_rows)
    column = pa.array(list(matrix), pa.list_(pa.float32()))
    columns = [column.slice(start, batch_rows) for start in range(0, N_SAMPLES, batch_rows)]
    assert max(len(piece) for each in columns for piece in batches._split(each)) <= block_rows
    assert_same(batches.statistics_of(columns), expected)


def test_a_tree_of_merges_gives_the_same_statistics(spark, matrix, expected, collected):
    # 12 partials, then 2, then 1: as a cluster with many task slots makes them.
    table = make_table(spark, matrix, n_partitions=12)
    assert_same(compute_statistics(table, max_partials=1), expected)
    assert collected == [1]


def test_the_driver_collects_no_more_partials_than_it_is_told(spark, matrix, expected, collected):
    table = make_table(spark, matrix, n_partitions=9)
    assert_same(compute_statistics(table, max_partials=4), expected)
    assert collected == [4]


def test_partials_are_merged_in_the_same_order_however_they_arrive(matrix):
    partials = [
        pa.record_batch(
            {"ordinal": [i], "statistics": [PCAStatistics.from_features(part).to_bytes()]}
        )
        for i, part in enumerate(np.array_split(matrix, 5))
    ]
    one, other = on_spark._merged(partials), on_spark._merged(partials[::-1])
    np.testing.assert_array_equal(one.scatter, other.scatter)
    np.testing.assert_array_equal(one.mean, other.mean)


def test_an_empty_table_has_no_statistics_and_no_pca(spark):
    statistics = compute_statistics(make_table(spark, []))
    assert statistics.n_samples == statistics.n_features == 0
    with pytest.raises(FruitsError, match="at least 2 images, got no images"):
        fit(statistics, 0.95)


def test_vectors_that_are_not_finite_are_counted_and_left_out(spark, matrix):
    vectors = matrix.tolist()
    vectors[3][2] = float("nan")
    vectors[77][0] = float("-inf")
    vectors[100][5] = None
    vectors[101] = None
    statistics = compute_statistics(make_table(spark, vectors))
    expected = PCAStatistics.from_features(np.delete(matrix, [3, 77, 100, 101], axis=0))
    assert_same(statistics, expected.merge(PCAStatistics.empty(n_not_finite=4)))


def test_double_features_keep_all_their_digits(spark):
    vectors = 1e6 + np.random.default_rng(0).normal(size=(50, 3))
    table = spark.createDataFrame(pa.table({"features": list(vectors)}))
    statistics = compute_statistics(table)
    np.testing.assert_allclose(statistics.scatter / 49, np.cov((vectors - 1e6).T), rtol=1e-9)


def test_another_column_can_be_asked_for(spark, matrix, expected):
    table = make_table(spark, matrix).withColumnRenamed("features", "numbers")
    assert_same(compute_statistics(table, column="numbers"), expected)


def test_vectors_of_different_lengths_in_one_partition_are_refused(spark, matrix):
    vectors = [*matrix.tolist(), [1.0, 2.0]]
    with pytest.raises(PythonException, match="mixes vectors of 2 and 6 features"):
        compute_statistics(make_table(spark, vectors))


def test_vectors_of_different_lengths_in_two_batches_are_refused():
    columns = [pa.array([[1.0, 2.0, 3.0]] * 3), pa.array([[1.0, 2.0]] * 3)]
    with pytest.raises(FruitsError, match="mixes vectors of 2 and 3 features"):
        batches.statistics_of(columns)


def test_vectors_of_different_lengths_in_two_partitions_are_refused(spark):
    table = make_table(spark, [[1.0, 2.0, 3.0], [1.0, 2.0]] * 3)
    by_length = table.repartitionById(2, F.size("features"))
    with pytest.raises(FruitsError, match="mixes vectors of 2 and 3 features"):
        compute_statistics(by_length)


def test_the_reduced_table_has_one_row_for_each_image(spark, matrix, expected):
    model = fit(expected, 3)
    table = make_table(spark, matrix, n_partitions=3)
    reduced = project_features(table, model)
    assert reduced.schema == spark_schema(REDUCED)
    rows = {row.path: row for row in reduced.collect()}
    assert {path: row.label for path, row in rows.items()} == {
        row.path: row.label for row in table.collect()
    }
    in_order = [rows[f"kind {i % 3}/{i}.jpg"].pca_features for i in range(N_SAMPLES)]
    projected = np.array(in_order, np.float32)
    np.testing.assert_array_equal(projected, project(model, matrix))
    np.testing.assert_allclose(projected.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(projected.var(axis=0, ddof=1), model.explained_variance, rtol=1e-5)


def test_the_reduced_table_of_no_images_is_empty(spark, expected):
    reduced = project_features(make_table(spark, []), fit(expected, 3))
    assert reduced.schema == spark_schema(REDUCED)
    assert reduced.count() == 0


def test_features_of_another_length_are_not_projected(spark, expected):
    reduced = project_features(make_table(spark, [[1.0, 2.0]]), fit(expected, 3))
    with pytest.raises(PythonException, match=r"hold 2 features, .* fitted on 6"):
        reduced.collect()


@pytest.mark.slow
def test_workers_import_neither_tensorflow_nor_scikit_learn_nor_scipy():
    program = (
        "import sys, spark_assets.pca.on_spark;"
        "print({'tensorflow', 'sklearn', 'scipy', 'pandas'} & set(sys.modules))"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"
