"""Whether new images and those of a fitted set come from one distribution: a permutation test."""

import numpy as np
from numpy import bool_, float32, float64
from numpy.typing import NDArray

from spark_assets.pca.reconstruction import Measures

N_PERMUTATIONS = 999
_SEED = 20_250
# Directions that hold the rest of the variance are noise more than anything.
_SHARE = 0.9
_N_NEAR = 16


def p_value(fitted: Measures, new: Measures) -> float:
    """Return how rare a difference as that of the two samples is where there is none.

    Both are thrown together, and the new images compared with random subsets of as many.  If they
    are alike, each subset is as likely as the new images themselves: ``p_value <= rate`` happens
    with probability ``rate``, whatever the distribution is.

    Three differences are looked at, all in the same subsets: how far the mean has moved, which
    tells what befell all images a little; how far each image is from the nearest of the others,
    which tells a few images of a new kind; and whether the reconstruction errors are larger or
    smaller.  The rarest counts, and its rareness is compared with that of each subset's own.

    The subsets are drawn from a seed: the same images in the same order give the same number.

    Source: the min-p method of Westfall and Young, Resampling-Based Multiple Testing, Wiley, 1993,
    with three statistics.
    """
    pooled = np.concatenate([fitted.sketch, new.sketch]).astype(float64)
    pooled -= pooled.mean(axis=0)
    # Of the size of 1, which float32 takes whatever the features are; ranks do not change.
    pooled /= float(np.abs(pooled).max()) or 1.0
    errors = np.concatenate([fitted.error, new.error])
    members = _members(len(fitted), len(new))
    differences = [_shifts(pooled, members), _novelties(pooled, members), _ranks(errors, members)]
    return _rarest(np.stack(differences))


def _members(n_fitted: int, n_new: int) -> NDArray[bool_]:
    """Return (1 + N_PERMUTATIONS, n): which images are new, then which are in each subset."""
    members = np.zeros((1 + N_PERMUTATIONS, n_fitted + n_new), bool)
    members[:, n_fitted:] = True
    generator = np.random.default_rng(_SEED)
    for subset in members[1:]:
        generator.shuffle(subset)
    return members


def _shifts(pooled: NDArray[float64], members: NDArray[bool_]) -> NDArray[float64]:
    """Return how far the mean of each subset is from that of all, squared.

    Directions are made about equally long first: a mean moves along a few, and rarely along those
    in which images differ most.  Those of noise stay short.
    """
    ascending, vectors = np.linalg.eigh(pooled.T @ pooled)
    variance = np.maximum(ascending[::-1], 0.0)
    n_kept = int(np.count_nonzero(np.cumsum(variance) < _SHARE * variance.sum()))
    lengths = np.sqrt(variance + variance[n_kept])
    if lengths[0] == 0.0:
        return np.zeros(len(members))
    # A direction without any variance has nothing to be divided.
    evened = ((pooled @ vectors[:, ::-1]) / np.where(lengths > 0, lengths, 1.0)).astype(float32)
    sums = members.astype(float32) @ evened
    squared: NDArray[float64] = np.sum(sums.astype(float64) ** 2, axis=1)
    return squared


def _novelties(pooled: NDArray[float64], members: NDArray[bool_]) -> NDArray[float64]:
    """Return the sum over each subset of the squared distance to the nearest image outside."""
    rows = pooled.astype(float32)
    squares = np.sum(rows**2, axis=1)
    distances = np.maximum(squares[:, np.newaxis] + squares - 2 * (rows @ rows.T), 0.0)
    # Nearly always one of the nearest few is outside, and that without looking at all others.
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
    """Return how far the mean rank of each subset is from that of all; equal values share one."""
    ordered = np.sort(values)
    ranks = np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")
    far: NDArray[float64] = np.abs(members @ (ranks - ranks.mean()))
    return far


def _rarest(differences: NDArray[float64]) -> float:
    """Return the share of columns whose rarest entry is as rare as that of the first column."""
    n_columns = differences.shape[1]
    at_least = np.empty(differences.shape)
    for row, values in enumerate(differences):
        # Sums of the same numbers in another order are equal, whatever rounding makes of them.
        slack = 1e-5 * values.max()
        at_least[row] = n_columns - np.searchsorted(np.sort(values), values - slack, side="left")
    rarest = at_least.min(axis=0)
    return float(np.mean(rarest <= rarest[0]))
