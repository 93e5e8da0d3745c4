"""Reconstruction error of images that a PCA was not fitted on, and a sketch of their features."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from hashlib import shake_256
from itertools import pairwise
from math import ceil
from typing import Any, Self

import numpy as np
from numpy import float32, float64, floating
from numpy.typing import NDArray

from spark_assets.pca.model import PCAModel, project
from spark_assets.pca.statistics import PCAStatistics

# Random projections of an image.  With 128 a new fruit was detected nearly as often as with all
# 1280 features; 256 of 1,000 images are 1 MB.
SKETCH_LENGTH = 256
# Share of images in a block that is held out.  With 0.1, errors were 1 % larger.
_LARGEST_BLOCK = 0.05


@dataclass(frozen=True, slots=True, eq=False)
class Measures:
    """Measures of images by which drift is tested; one entry for each image.

    Attributes
    ----------
    error : ndarray of shape (n,), float64
        Distance between the features and their reconstruction from the components.
    deviation : ndarray of shape (n,), float64
        Distance of the features from the mean; ``error**2`` is the lost part of its square.
    sketch : ndarray of shape (n, SKETCH_LENGTH), float32
        Random projection of the centred features, the same everywhere: it preserves distances
        between images on average, and depends on the fit by the mean alone.
    """

    error: NDArray[float64]
    deviation: NDArray[float64]
    sketch: NDArray[float32]

    def __len__(self) -> int:
        return len(self.error)

    @property
    def share_of_variance_kept(self) -> float | None:
        """Share of the squared deviations that the components keep; None where they are 0."""
        total = float(np.sum(self.deviation**2))
        return 1.0 - float(np.sum(self.error**2)) / total if total > 0 else None

    @classmethod
    def of_new(cls, model: PCAModel, features: NDArray[floating[Any]]) -> Self:
        """Measure images that the PCA was not fitted on.

        Parameters
        ----------
        model : PCAModel
        features : ndarray of shape (n, n_features)
            All finite.

        Raises
        ------
        FruitsError
            Where the model has another number of features.
        """
        exact = features.astype(float64)
        scores, centred = project(model, exact), exact - model.mean
        return cls(*_lengths(centred, scores, model.explained_variance), _sketch(centred))

    @classmethod
    def of_fitted(
        cls, statistics: PCAStatistics, n_components: int, features: NDArray[floating[Any]]
    ) -> Self:
        """Measure images of the fitted set by cross-validation.

        A PCA fits its own images better than others: at 85 components of 480 photographs their
        error was a fifth too small.  Blocks of at most 5 % of the set are held out, and measured
        with the components of all other images.

        Parameters
        ----------
        statistics : PCAStatistics
            Of the whole fitted set.
        n_components : int
            Components of the model.
        features : ndarray of shape (n, n_features)
            Some or all images of the set, in random order.
        """
        n_samples = statistics.n_samples
        ascending, vectors = np.linalg.eigh(statistics.scatter)
        # Centred images have no more directions than this.
        rank = min(n_samples - 1, statistics.n_features)
        scatter = np.maximum(ascending[::-1][:rank], 0.0)
        centred = features.astype(float64) - statistics.mean
        axes = centred @ vectors[:, ::-1][:, :rank]
        lengths = [
            _held_out(scatter, axes[block], n_samples, n_components)
            for block in _blocks(len(features), n_samples)
        ]
        error, deviation = np.concatenate(lengths, axis=1) if lengths else np.empty((2, 0))
        return cls(error, deviation, _sketch(centred))


def _blocks(n_rows: int, n_samples: int) -> Iterator[slice]:
    n_blocks = min(n_rows, ceil(n_rows / (_LARGEST_BLOCK * n_samples)))
    bounds = np.linspace(0, n_rows, n_blocks + 1).astype(int)
    return (slice(start, end) for start, end in pairwise(bounds))


def _held_out(
    scatter: NDArray[float64], rows: NDArray[float64], n_samples: int, n_components: int
) -> NDArray[float64]:
    """Return error and deviation of a held-out block, (2, n).

    The axes are the eigenvectors of the scatter of all images, which is diagonal there.  Without
    the block it is diagonal less a product of few rows, whose leading eigenvectors lie almost
    within twice as many leading axes; one step of subspace iteration over all axes adds the rest.
    Errors were those of 20 full eigendecompositions to 0.3 %, in a tenth of the time.
    """
    n_rest = n_samples - len(rows)
    if n_rest < 1:
        deviation = np.linalg.norm(rows, axis=1)
        return np.stack([deviation, deviation])
    rest_mean = -rows.sum(axis=0) / n_rest
    removed = np.vstack([rows, np.sqrt(n_rest) * rest_mean])
    near = min(2 * n_components, len(scatter))
    inner = np.diag(scatter[:near]) - removed[:, :near].T @ removed[:, :near]
    start = np.zeros((len(scatter), n_components))
    start[:near] = np.linalg.eigh(inner)[1][:, ::-1][:, :n_components]
    basis, _ = np.linalg.qr(scatter[:, np.newaxis] * start - removed.T @ (removed @ start))
    within = basis.T @ (scatter[:, np.newaxis] * basis)
    spread, turn = np.linalg.eigh(within - (removed @ basis).T @ (removed @ basis))
    centred = rows - rest_mean
    return np.stack(_lengths(centred, centred @ (basis @ turn), spread / max(n_rest - 1, 1)))


def _lengths(
    centred: NDArray[float64], scores: NDArray[floating[Any]], variance: NDArray[float64]
) -> tuple[NDArray[float64], NDArray[float64]]:
    """Return error and deviation, (n,) each, of centred images and their projections."""
    # With fewer images than components, some directions have no variance.
    real = variance > np.finfo(float64).eps * len(centred.T) * max(float(variance.max()), 0.0)
    total = np.sum(centred**2, axis=1)
    error = np.sqrt(np.maximum(total - np.sum(scores[:, real] ** 2, axis=1), 0.0))
    return error, np.sqrt(total)


def _sketch(centred: NDArray[float64]) -> NDArray[float32]:
    return (centred @ _signs(centred.shape[1])).astype(float32)


@cache
def _signs(n_features: int) -> NDArray[float64]:
    """Return random signs over the root of the length, (n_features, SKETCH_LENGTH).

    From a hash: numpy's generators may change between versions, and sketches are stored.
    """
    bits = np.frombuffer(shake_256(b"sketch").digest(n_features * SKETCH_LENGTH // 8), np.uint8)
    signs = np.unpackbits(bits).reshape(n_features, SKETCH_LENGTH).astype(float64) * 2.0 - 1.0
    return signs / float(np.sqrt(SKETCH_LENGTH))
