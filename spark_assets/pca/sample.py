"""The sample of images that the measures of drift are taken of: the same ones every time."""

import hashlib
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy import float32, floating
from numpy.typing import NDArray

from spark_assets.pca.batches import feature_matrix
from spark_assets.pca.drift import MAX_LABELS, MAX_SAMPLE, Batch, DriftReference
from spark_assets.pca.left_out import Measures
from spark_assets.pca.model import PCAModel
from spark_assets.pca.statistics import PCAStatistics

Labels = frozenset[str] | None


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows of path and features, at least those that are sampled, of ``n_images`` with labels."""

    rows: pa.Table
    n_images: int
    labels: Labels

    @classmethod
    def of_table(cls, table: pa.Table) -> "Sample":
        """Return the sample of a whole table of path, label and features."""
        rows = table.select(["path", "features"])
        return cls(rows, table.num_rows, distinct_labels(table.column("label")))


def path_hash(path: str) -> str:
    """Return what orders the images of a sample: nothing of them is in it."""
    return hashlib.sha256(path.encode()).hexdigest()


def distinct_labels(labels: pa.ChunkedArray) -> Labels:
    """Return the labels without null, or None where there are more than are compared."""
    found = frozenset(labels.drop_null().unique().to_pylist())
    return found if len(found) <= MAX_LABELS else None


def reference_of(sample: Sample, model: PCAModel, statistics: PCAStatistics) -> DriftReference:
    """Return what is to be kept of the fitted set, once, when the model is fitted.

    The sample is of the images that ``statistics`` were computed of and ``model`` was fitted on.
    Takes one eigendecomposition more.
    """
    vectors, _ = _chosen(sample.rows, model.n_features)
    measures = Measures.of_fitted(statistics, model.n_components, vectors)
    return DriftReference(measures, sample.labels)


def measure(sample: Sample, model: PCAModel) -> Batch:
    """Measure new images.

    Raises FruitsError where the features are not as long as those that the model was fitted on.
    """
    vectors, n_chosen = _chosen(sample.rows, model.n_features)
    measures = Measures.of_new(model, vectors[np.isfinite(vectors).all(axis=1)])
    return Batch(sample.n_images, n_chosen - len(measures), measures, sample.labels)


def _chosen(rows: pa.Table, n_features: int) -> tuple[NDArray[floating[Any]], int]:
    """Return vectors of at most ``MAX_SAMPLE`` images, and how many rows were chosen.

    The images are those whose paths have the smallest hashes.  Vectors that are null are left out.
    """
    hashes = pa.array([path_hash(path) for path in rows.column("path").to_pylist()], pa.string())
    chosen = rows.append_column("hash", hashes).sort_by("hash").slice(0, MAX_SAMPLE)
    if not chosen.num_rows:
        return np.empty((0, n_features), float32), 0
    return feature_matrix(chosen.column("features").combine_chunks()), chosen.num_rows
