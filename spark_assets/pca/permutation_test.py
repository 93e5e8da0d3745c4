"""A permutation test of whether new images and those of a fitted set have one distribution."""

import numpy as np
from numpy import bool_, float32, float64
from numpy.typing import NDArray

from spark_assets.pca.reconstruction import Measures

N_PERMUTATIONS = 999
_SEED = 20_250
# Directions with the rest of the variance are noise.
_SHARE = 0.9
_N_NEAR = 16


def p_value(fitted: Measures, new: Measures) -> float:
    """Return the p-value of the hypothesis that both samples have the same distribution.

    The new images are compared with random subsets of both samples, of the same size: under the
    hypothesis ``p_value <= rate`` has probability ``rate``, whatever the distribution.

    Three statistics are computed of each subset: the shift of the mean, which shows a change of all
    images; the distance of each image to the nearest outside of the subset, which shows a few
    images of a new kind; and the rank of the reconstruction errors.  The smallest of their three
    p-values is compared with those of the subsets.

    The seed is fixed: the same images in the same order give the same p-value.

    Source: the min-p method of Westfall and Young, Resampling-Based Multiple Testing, Wiley, 1993,
    with three statistics.
    """
    pooled = np.concatenate([fitted.sketch, new.sketch]).astype(float64)
    pooled -= pooled.mean(axis=0)
    # Scaled to at most 1, which float32 can hold; ranks do not change.
    pooled /= float(np.abs(pooled).max()) or 1.0
    errors = np.concatenate([fitted.error, new.error])
    members = _members(len(fitted), len(new))
    differences = [_shifts(pooled, members), _novelties(pooled, members), _ranks(errors, members)]
    return _rarest(np.stack(differences))


def _members(n_fitted: int, n_new: int) -> NDArray[bool_]:
    """Return (1 + N_PERMUTATIONS, n): the new images, then the images of each subset."""
    members = np.zeros((1 + N_PERMUTATIONS, n_fitted + n_new), bool)
    members[:, n_fitted:] = True
    generator = np.random.default_rng(_SEED)
    for subset in members[1:]:
        generator.shuffle(subset)
    return members


def _shifts(pooled: NDArray[float64], members: NDArray[bool_]) -> NDArray[float64]:
    """Return the squared distance of the mean of each subset from that of all.

    Directions are scaled to about equal length, except those of noise: the mean rarely moves along
    those in which images differ most.
    """
    ascending, vectors = np.linalg.eigh(pooled.T @ pooled)
    variance = np.maximum(ascending[::-1], 0.0)
    n_kept = int(np.count_nonzero(np.cumsum(variance) < _SHARE * variance.sum()))
    lengths = np.sqrt(variance + variance[n_kept])
    if lengths[0] == 0.0:
        return np.zeros(len(members))
    evened = ((pooled @ vectors[:, ::-1]) / np.where(lengths > 0, lengths, 1.0)).astype(float32)
    sums = members.astype(float32) @ evened
    squared: NDArray[float64] = np.sum(sums.astype(float64) ** 2, axis=1)
    return squared


def _novelties(pooled: NDArray[float64], members: NDArray[bool_]) -> NDArray[float64]:
    """Return the sum over each subset of the squared distance to the nearest image outside."""
    rows = pooled.astype(float32)
    squares = np.sum(rows**2, axis=1)
    distances = np.maximum(squares[:, np.newaxis] + squares - 2 * (rows @ rows.T), 0.0)
    # Nearly always one of the nearest few is outside.
    n_near = min(_N_NEAR, len(rows))
    near = np.argpartition(distances, n_near - 1, axis=1)[:, :n_near]
    order = np.argsort(np.take_along_axis(distances, near, axis=1), axis=1)
    near = np.take_along_axis(near, order, axis=1)
    sums = (_novelty(distances, near, inside) for inside in members)
    return np.fromiter(sums, float64, len(members))


def _novelty(distances: NDArray[float32], near: NDArray[np.int64], inside: NDArray[bool_]) -> float:
    rows = np.flatnonzero(inside)
    are_inside = inside[near[rows]]
    first_outside = near[rows, np.argmin(are_inside, axis=1)]
    nearest = distances[rows, first_outside]
    crowded = are_inside.all(axis=1)
    if crowded.any():
        nearest[crowded] = distances[np.ix_(rows[crowded], ~inside)].min(axis=1)
    return float(nearest.sum(dtype=float64))


def _ranks(values: NDArray[float64], members: NDArray[bool_]) -> NDArray[float64]:
    """Return the distance of the mean rank of each subset from that of all, ties averaged."""
    ordered = np.sort(values)
    ranks = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    far: NDArray[float64] = np.abs(members @ (ranks - ranks.mean()))
    return far


def _rarest(differences: NDArray[float64]) -> float:
    """Return the share of columns whose smallest p-value is at most that of the first column."""
    n_columns = differences.shape[1]
    at_least = np.empty(differences.shape)
    for row, values in enumerate(differences):
        # Equal sums in another order differ by rounding.
        slack = 1e-5 * values.max()
        at_least[row] = n_columns - np.searchsorted(np.sort(values), values - slack, side="left")
    rarest = at_least.min(axis=0)
    return float(np.mean(rarest <= rarest[0]))
