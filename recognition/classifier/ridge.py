"""Ridge classifiers from sums over rows: every penalty and number of components at once.

scikit-learn's RidgeClassifier with balanced class weights is the oracle of the tests.  It reads all
rows anew for each penalty, each fold and each number of components, which for 35,000 photographs
are minutes; the sums are made once, those of a training part are the difference of two, and one
decomposition serves all settings.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float32, float64, floating, intp
from numpy.typing import NDArray

from recognition.classifier.linear_classifier import LinearClassifier
from spark_assets.errors import FruitsError

_BLOCK_ROWS = 4096

Matrix = NDArray[float64]


@dataclass(frozen=True, slots=True)
class Setting:
    """The hyperparameters of a ridge classifier.

    ``penalty`` is of vectors whose mean square is 1; ``components`` is a number of principal axes,
    a share of the variance, or None for all.
    """

    penalty: float
    components: int | float | None


@dataclass(frozen=True, slots=True, eq=False)
class ClassSums:
    """Weighted sums over rows, of all and of each label: the input of a ridge fit.

    Rows are of unit length, so that sums of squares lose nothing to the square of the mean.

    Attributes
    ----------
    scatter : ndarray of shape (n_features, n_features)
    totals : ndarray of shape (n_labels, n_features)
    weights : ndarray of shape (n_labels,)
    """

    scatter: Matrix
    totals: Matrix
    weights: NDArray[float64]

    @classmethod
    def of(
        cls,
        vectors: NDArray[floating],
        codes: NDArray[intp],
        label_weights: NDArray[float64],
        rows: NDArray[intp],
    ) -> "ClassSums":
        """Return the sums over some rows.

        Parameters
        ----------
        vectors : ndarray of shape (n, n_features)
        codes : ndarray of shape (n,)
            The number of each row's label.
        label_weights : ndarray of shape (n_labels,)
            The weight of a row of each label.
        rows : ndarray of int
        """
        n_labels, n_features = len(label_weights), vectors.shape[1]
        scatter = np.zeros((n_features, n_features))
        totals = np.zeros((n_labels, n_features))
        weights = np.zeros(n_labels)
        for start in range(0, len(rows), _BLOCK_ROWS):
            block = rows[start : start + _BLOCK_ROWS]
            of_row = label_weights[codes[block]]
            weighted = vectors[block] * of_row[:, np.newaxis].astype(float32)
            scatter += weighted.T @ vectors[block]
            totals += np.eye(n_labels, dtype=float32)[:, codes[block]] @ weighted
            weights += np.bincount(codes[block], of_row, n_labels)
        return cls(scatter, totals, weights)

    def __sub__(self, part: "ClassSums") -> "ClassSums":
        """Return the sums over the rows that are not in a part."""
        return ClassSums(
            self.scatter - part.scatter, self.totals - part.totals, self.weights - part.weights
        )


def balanced_weights(codes: NDArray[intp], n_labels: int) -> NDArray[float64]:
    """Return the weight of a row of each label, (n_labels,), by which labels weigh the same."""
    counts = np.maximum(np.bincount(codes, minlength=n_labels), 1)
    weights: NDArray[float64] = len(codes) / (n_labels * counts)
    return weights


@dataclass(frozen=True, slots=True, eq=False)
class RidgeFit:
    """The principal axes of balanced rows, and how the labels lie along them.

    Attributes
    ----------
    labels : list of str
        Those n_labels that have rows.
    mean : ndarray of shape (n_features,)
    axes : ndarray of shape (n_features, n_axes)
        By decreasing variance.
    variances : ndarray of shape (n_axes,)
        Weighted sums of squares along them.
    mean_square : float
        Of the distance from the mean.
    along : ndarray of shape (n_axes, n_labels)
    offsets : ndarray of shape (n_labels,)
    """

    labels: list[str]
    mean: NDArray[float64]
    axes: Matrix
    variances: NDArray[float64]
    mean_square: float
    along: Matrix
    offsets: NDArray[float64]

    @classmethod
    def of(cls, sums: ClassSums, labels: Sequence[str]) -> "RidgeFit":
        """Decompose sums.  Raises FruitsError for fewer than two labels that have rows."""
        seen = np.flatnonzero(sums.weights > 1e-9)
        if len(seen) < 2:
            raise FruitsError(
                f"a classifier needs photographs of at least 2 labels, got {len(seen)}; sort the "
                "photographs in folders named after what is on them, or give --label-level"
            )
        weight = float(sums.weights.sum())
        mean = sums.totals.sum(axis=0) / weight
        scatter = sums.scatter - weight * np.outer(mean, mean)
        variances, axes = np.linalg.eigh(scatter)
        variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1]
        centered = sums.totals[seen] - sums.weights[seen, np.newaxis] * mean
        # Labels are +1 and -1, as in scikit-learn.
        offsets = 2 * sums.weights[seen] / weight - 1
        along = axes.T @ (2 * centered.T)
        mean_square = float(variances.sum()) / weight
        return cls(
            [labels[int(n)] for n in seen], mean, axes, variances, mean_square, along, offsets
        )

    def n_axes(self, components: int | float | None) -> int | None:
        """Return the number of axes that a setting's ``components`` mean, None for all."""
        if components is None:
            return None
        if isinstance(components, int):
            return min(components, len(self.variances))
        shares = np.cumsum(self.variances) / max(float(self.variances.sum()), 1e-300)
        return min(int(np.searchsorted(shares, components - 1e-12)) + 1, len(shares))

    def subspace(self, n_axes: int) -> NDArray[float32]:
        """Return the first axes, (n_features, at most n_axes), which are orthonormal."""
        return np.ascontiguousarray(self.axes[:, :n_axes], dtype=float32)

    def project(self, vectors: NDArray[floating], n_axes: int | None = None) -> NDArray[float32]:
        """Return (n, n_features) vectors along the first axes, (n, n_axes), or along all."""
        axes = self.axes[:, :n_axes].astype(float32)
        along = vectors.astype(float32, copy=False) @ axes
        return along - (self.mean @ self.axes[:, :n_axes]).astype(float32)

    def logits(self, projected: NDArray[float32], setting: Setting) -> NDArray[float64]:
        """Return the scores, (n, n_labels), of vectors projected on all axes, (n, n_axes)."""
        slopes = self._slopes(setting)
        return projected[:, : len(slopes)].astype(float64) @ slopes + self.offsets

    def classifier(self, setting: Setting) -> LinearClassifier:
        """Return the classifier of a setting, on vectors that are not projected."""
        slopes = self._slopes(setting)
        coefficients = np.ascontiguousarray((self.axes[:, : len(slopes)] @ slopes).T)
        return LinearClassifier(self.labels, coefficients, self.offsets - coefficients @ self.mean)

    def _slopes(self, setting: Setting) -> Matrix:
        n_axes = self.n_axes(setting.components)
        # Where all rows are the same, variances and mean square are 0.
        damped = np.maximum(self.variances + setting.penalty * self.mean_square, 1e-12)
        slopes: Matrix = self.along[:n_axes] / damped[:n_axes, np.newaxis]
        return slopes


def fit_ridge(vectors: NDArray[float32], labels: Sequence[str]) -> RidgeFit:
    """Fit ridge classifiers on (n, n_features) vectors, every label of the same weight.

    Raises FruitsError for fewer than two labels.
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    weights = balanced_weights(codes, len(names))
    return RidgeFit.of(ClassSums.of(vectors, codes, weights, np.arange(len(codes))), names.tolist())
