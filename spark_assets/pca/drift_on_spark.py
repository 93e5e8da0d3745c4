"""Drift on Spark: a bounded sample of a features table comes to the driver and is measured there.

1,000 images of 1280 features are 5 MB, and the arithmetic on them takes less than a task does to
start: only the choice of the sample is Spark's.
"""

import math
from typing import Any

import numpy as np
import pyarrow as pa
from numpy import float32, floating
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_assets.pca.drift import MAX_LABELS, MAX_SAMPLE, Batch, DriftReference
from spark_assets.pca.left_out import Measures
from spark_assets.pca.model import PCAModel
from spark_assets.pca.on_spark import feature_matrix
from spark_assets.pca.statistics import PCAStatistics


def reference_of(features: DataFrame, model: PCAModel, statistics: PCAStatistics) -> DriftReference:
    """Return what is to be kept of the fitted set, once, when the model is fitted.

    ``features`` has the columns path, label and features: the images that ``statistics`` were
    computed of and ``model`` was fitted on.  Takes one eigendecomposition more.
    """
    sample, _, labels = _sample(features, statistics.n_samples, model.n_features)
    measures = Measures.of_fitted(statistics, model.n_components, sample)
    return DriftReference(measures, labels)


def measure(features: DataFrame, model: PCAModel) -> Batch:
    """Measure new images, a DataFrame as in `reference_of` of nothing but them.

    Raises FruitsError where the features are not as long as those that the model was fitted on.
    """
    n_images = features.count()
    sample, n_sampled, labels = _sample(features, n_images, model.n_features)
    finite = np.isfinite(sample).all(axis=1)
    measures = Measures.of_new(model, sample[finite])
    return Batch(n_images, n_sampled - len(measures), measures, labels)


def _sample(
    features: DataFrame, n_images: int, n_features: int
) -> tuple[NDArray[floating[Any]], int, frozenset[str] | None]:
    """Return feature vectors of at most ``MAX_SAMPLE`` images, how many rows, and all labels.

    The images are those whose paths have the smallest hashes: the same ones whatever the partitions
    are, in an order that says nothing of them.  Vectors that are null are left out.
    """
    rows = features.select(F.xxhash64("path").alias("hash"), "path", "label", "features")
    # The bound that leaves a few too many, for the driver to cut: sorting in Spark would hold
    # 5 MB of each partition.
    wanted = MAX_SAMPLE + 6 * math.isqrt(MAX_SAMPLE)
    if n_images > wanted:
        bound = -(2**63) + 2**64 * wanted // n_images
        rows = rows.where(F.col("hash") < bound)
    found = rows.toArrow()
    has_all = n_images <= wanted
    labels = _distinct(found.column("label")) if has_all else _labels(features)
    table = found.sort_by([("hash", "ascending"), ("path", "ascending")])
    chosen = table.slice(0, MAX_SAMPLE)
    if not chosen.num_rows:
        return np.empty((0, n_features), float32), 0, labels
    vectors = feature_matrix(chosen.column("features").combine_chunks())
    return vectors, chosen.num_rows, labels


def _labels(features: DataFrame) -> frozenset[str] | None:
    """Return all labels, or None where there are more than are compared."""
    labels = features.select("label").where(F.col("label").isNotNull()).distinct()
    return _distinct(labels.limit(MAX_LABELS + 1).toArrow().column("label"))


def _distinct(labels: pa.ChunkedArray) -> frozenset[str] | None:
    found = frozenset(labels.drop_null().unique().to_pylist())
    return found if len(found) <= MAX_LABELS else None
