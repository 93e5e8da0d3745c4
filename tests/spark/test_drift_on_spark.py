"""What Spark brings of a table is what the measures are taken of."""

import numpy as np
import pyarrow as pa
import pytest

from spark_assets.pca import drift_on_spark, sample
from spark_assets.pca.drift_on_spark import collect_sample
from spark_assets.pca.left_out import Measures
from spark_assets.pca.model import fit
from spark_assets.pca.sample import Sample, measure, reference_of
from spark_assets.pca.statistics import PCAStatistics

N_IMAGES, N_FEATURES = 60, 12


@pytest.fixture(scope="module")
def matrix():
    generator = np.random.default_rng(7)
    spread = np.geomspace(4, 0.2, N_FEATURES)
    return (generator.normal(size=(N_IMAGES, N_FEATURES)) * spread).astype(np.float32)


@pytest.fixture(scope="module")
def fitted(matrix):
    statistics = PCAStatistics.from_features(matrix)
    return fit(statistics, 0.9), statistics


def rows_of(matrix, labels=("apple", None)):
    columns = {
        "path": [f"{index}.jpg" for index in range(len(matrix))],
        "label": [labels[index % len(labels)] for index in range(len(matrix))],
        "features": list(matrix),
    }
    return pa.table(columns)


def sample_of(spark, matrix, labels=("apple", None)):
    table = spark.createDataFrame(rows_of(matrix, labels)).repartition(3)
    return collect_sample(table, len(matrix))


def test_new_images_are_measured_as_without_spark(spark, matrix, fitted):
    model, _ = fitted
    batch = measure(sample_of(spark, matrix), model)
    expected = Measures.of_new(model, matrix)
    assert (batch.n_images, batch.n_not_finite, batch.labels) == (N_IMAGES, 0, {"apple"})
    np.testing.assert_allclose(np.sort(batch.measures.error), np.sort(expected.error))


def test_images_without_finite_features_are_counted_and_not_measured(spark, matrix, fitted):
    spoilt = matrix.copy()
    spoilt[3, 2], spoilt[5, 0] = np.nan, np.inf
    batch = measure(sample_of(spark, spoilt), fitted[0])
    assert (batch.n_images, batch.n_not_finite, len(batch.measures)) == (N_IMAGES, 2, N_IMAGES - 2)


def test_the_fitted_set_is_known_by_its_labels_and_by_errors_as_of_new_images(
    spark, matrix, fitted
):
    model, statistics = fitted
    reference = reference_of(sample_of(spark, matrix, ("apple", "kiwi")), model, statistics)
    assert reference.labels == {"apple", "kiwi"}
    assert len(reference.measures) == N_IMAGES
    assert reference.measures.error.mean() > Measures.of_new(model, matrix).error.mean()


def test_of_many_images_the_same_sample_comes_from_spark_and_from_a_table(
    spark, matrix, fitted, monkeypatch
):
    monkeypatch.setattr(drift_on_spark, "MAX_SAMPLE", 4)
    monkeypatch.setattr(sample, "MAX_SAMPLE", 4)
    on_spark = measure(sample_of(spark, matrix), fitted[0])
    assert (on_spark.n_images, len(on_spark.measures)) == (N_IMAGES, 4)
    here = measure(Sample.of_table(rows_of(matrix)), fitted[0])
    np.testing.assert_array_equal(on_spark.measures.error, here.measures.error)
    assert on_spark.labels == here.labels
