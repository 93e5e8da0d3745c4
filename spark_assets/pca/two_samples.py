"""Whether new images and those of a fitted set come from one distribution: a permutation test."""

from collections.abc import Sequence

import numpy as np
from numpy import float32, float64
from numpy.typing import NDArray

from spark_assets.pca.left_out import Measures

# The smallest p-value is one in 2,000.
N_PERMUTATIONS = 1999
_SEED = 20_250
_CHUNK = 250
_SHARE = 0.95


def p_value(fitted: Measures, new: Measures) -> float:
    """Return the probability of a difference this large between images of one distribution.

    Both samples are thrown together, and the new ones compared with random subsets of the same
    size.  If they are alike, each subset is as likely as the new images themselves, so that
    ``p_value <= rate`` happens with probability ``rate``, whatever the distribution is: no
    assumption, no fitted threshold.  Five differences are looked at, and the one that is rarest
    among the subsets counts, with its rareness compared to that of each subset's own.

    The subsets are drawn from a seed: the same images give the same number.
    """
    pooled = np.concatenate([fitted.sketch, new.sketch])
    scores = [_shift(pooled.astype(float64))]
    for name in ("error", "distance"):
        values = np.concatenate([getattr(fitted, name), getattr(new, name)])
        ranks = _ranks(values)
        scores += [_standardized(ranks), _standardized(-np.log1p(-ranks))]
    return _rarest(_differences(scores, len(new)))


def _shift(pooled: NDArray[float64]) -> NDArray[float64]:
    """Return the sketches with all directions of weight made about equally long.

    The mean moves along few directions, rarely those along which images differ most.  Directions
    below the share of variance that counts are left short: they are noise.
    """
    centred = pooled - pooled.mean(axis=0)
    ascending, vectors = np.linalg.eigh(centred.T @ centred / len(centred))
    variance = np.maximum(ascending[::-1], 0.0)
    if variance[0] <= 0.0:
        return np.zeros((len(pooled), 1))
    n_kept = int(np.count_nonzero(np.cumsum(variance) < _SHARE * variance.sum()))
    evened: NDArray[float64] = (centred @ vectors[:, ::-1]) / np.sqrt(variance + variance[n_kept])
    return evened


def _ranks(values: NDArray[float64]) -> NDArray[float64]:
    """Return ranks between 0 and 1, neither of them reached; equal values share one."""
    ordered = np.sort(values)
    below = np.searchsorted(ordered, values, side="left")
    up_to = np.searchsorted(ordered, values, side="right")
    ranks: NDArray[float64] = (below + up_to) / (2 * len(values))
    return ranks


def _standardized(scores: NDArray[float64]) -> NDArray[float64]:
    centred = scores - scores.mean()
    deviation = float(centred.std())
    column: NDArray[float64] = centred[:, np.newaxis]
    return column / deviation if deviation > 0 else np.zeros_like(column)


def _differences(scores: Sequence[NDArray[float64]], n_new: int) -> NDArray[float64]:
    """Return the squared length of the sum of each score over the new rows, then over subsets.

    Parameters
    ----------
    scores : sequence of ndarray of shape (n, any)
        Of all rows, the new ones last; the mean of each is 0.

    Returns
    -------
    ndarray of shape (1 + N_PERMUTATIONS, len(scores))
    """
    table = np.hstack(scores).astype(float32)
    first_columns = np.cumsum([0, *(each.shape[1] for each in scores[:-1])])
    n_rows = len(table)
    new = np.zeros((1, n_rows), float32)
    new[0, n_rows - n_new :] = 1.0
    sums = [new @ table]
    generator = np.random.default_rng(_SEED)
    for start in range(0, N_PERMUTATIONS, _CHUNK):
        count = min(_CHUNK, N_PERMUTATIONS - start)
        subset = np.argpartition(generator.random((count, n_rows)), n_new - 1, axis=1)[:, :n_new]
        members = np.zeros((count, n_rows), float32)
        np.put_along_axis(members, subset, 1.0, axis=1)
        sums.append(members @ table)
    squares = np.concatenate(sums).astype(float64) ** 2
    differences: NDArray[float64] = np.add.reduceat(squares, first_columns, axis=1)
    return differences


def _rarest(differences: NDArray[float64]) -> float:
    """Return the share of rows whose rarest difference is as rare as that of the first row."""
    n_rows = len(differences)
    # Sums of the same numbers in another order are equal, whatever float32 makes of them.
    slack = 1e-5 * differences.max(axis=0)
    at_least = np.empty(differences.shape)
    for column, values in enumerate(differences.T):
        ordered = np.sort(values)
        at_least[:, column] = n_rows - np.searchsorted(ordered, values - slack[column], side="left")
    rarest = at_least.min(axis=1)
    return float(np.count_nonzero(rarest <= rarest[0])) / n_rows
