"""The sample of images for the measures of drift: the same ones every time."""

import hashlib
import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy import float32, floating, uint64
from numpy.typing import NDArray

from spark_assets.pca.batches import feature_matrix
from spark_assets.pca.drift import MAX_LABELS, MAX_SAMPLE, Batch, DriftReference
from spark_assets.pca.model import PCAModel
from spark_assets.pca.reconstruction import Measures
from spark_assets.pca.statistics import PCAStatistics

Labels = frozenset[str] | None
_N_HASHES = 2**64
_ROWS = pa.schema([("path", pa.string()), ("features", pa.list_(pa.float32()))])


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Rows of path and features that contain the sample of ``n_images``, and all labels."""

    rows: pa.Table
    n_images: int
    labels: Labels

    def merge(self, other: Self) -> Self:
        """Return the sample of the images of both."""
        rows = pa.concat_tables([self.rows, other.rows])
        labels = None
        if self.labels is not None and other.labels is not None:
            labels = _few(self.labels | other.labels)
        return type(self)(rows, self.n_images + other.n_images, labels)


class Sampler:
    """Collects the sample of a table of path, label and features, batch by batch.

    Of a million images as of a thousand, few more rows than the sample are kept: 5 MB of 1280
    features.
    """

    def __init__(self, n_images: int) -> None:
        wanted = MAX_SAMPLE + 6 * math.isqrt(MAX_SAMPLE)
        self._last_hash = _N_HASHES * min(wanted, n_images) // max(n_images, 1) - 1
        self._rows = [_ROWS.empty_table()]
        self._labels: set[str] = set()
        self._n_images = 0

    def add(self, batch: pa.RecordBatch) -> None:
        """Add the sampled rows of a batch."""
        is_sampled = pa.array(path_hashes(batch["path"]) <= self._last_hash)
        sampled = batch.select(_ROWS.names).filter(is_sampled)
        self._rows.append(pa.Table.from_batches([sampled]).cast(_ROWS))
        if len(self._labels) <= MAX_LABELS:
            self._labels.update(batch["label"].drop_null().unique().to_pylist())
        self._n_images += batch.num_rows

    def sample(self) -> Sample:
        """Return the sample of all batches."""
        return Sample(pa.concat_tables(self._rows), self._n_images, _few(frozenset(self._labels)))


def path_hash(path: str) -> str:
    """Return the hash that orders the images of a sample, independent of their content."""
    return hashlib.sha256(path.encode()).hexdigest()


def path_hashes(paths: pa.Array | pa.ChunkedArray) -> NDArray[uint64]:
    """Return the first 64 bits of the hashes, which give the same order, (n,) uint64."""
    encoded = (path.as_py().encode() for path in paths)
    first = (int.from_bytes(hashlib.sha256(path).digest()[:8]) for path in encoded)
    return np.fromiter(first, uint64, len(paths))


def _few(labels: frozenset[str]) -> Labels:
    """Return labels, or None where they are more than ``MAX_LABELS``."""
    return labels if len(labels) <= MAX_LABELS else None


def reference_of(sample: Sample, model: PCAModel, statistics: PCAStatistics) -> DriftReference:
    """Return the drift reference of a fitted set.

    ``sample`` and ``statistics`` are of the images that ``model`` was fitted on.  Takes another
    eigendecomposition.
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
