"""The score of known fruit, and the threshold below which a photograph is unknown."""

from dataclasses import dataclass

import numpy as np
from numpy import float32, float64, floating
from numpy.typing import NDArray

# Known labels lie near a subspace of about as many dimensions as there are labels.  Of 10 to 100
# dimensions, 20 detect the most vegetables and packages of the shops that the phone photographs are
# of, at a false unknown rate of 5 % on fruit from other shops.
N_AXES = 20


@dataclass(frozen=True, slots=True, eq=False)
class UnknownDetector:
    """The subspace of known photographs, and the threshold of the score.

    The score of a photograph is the logarithm of the sum of its exponential logits, less a multiple
    of its distance from the subspace (virtual-logit matching).

    Source: Wang et al., ViM: Out-Of-Distribution with Virtual-logit Matching, CVPR 2022,
    doi:10.1109/CVPR52688.2022.00487.

    Attributes
    ----------
    mean : ndarray of shape (n_features,), float32
    axes : ndarray of shape (n_features, n_axes), float32
        Orthonormal.
    weight : float
        Of a unit of distance, in logits.
    threshold : float
        A photograph with a lower score is unknown.
    """

    mean: NDArray[float32]
    axes: NDArray[float32]
    weight: float
    threshold: float

    def scores(self, vectors: NDArray[floating], logits: NDArray[float64]) -> NDArray[float64]:
        """Return the scores of (n, n_features) vectors with (n, n_labels) logits, (n,)."""
        return known_scores(logits, distances(vectors, self.mean, self.axes), self.weight)


def distances(
    vectors: NDArray[floating], mean: NDArray[floating], axes: NDArray[floating]
) -> NDArray[float64]:
    """Return the distances, (n,), of (n, n_features) vectors from an affine subspace."""
    centered = vectors - mean
    along = centered @ axes
    square = np.sum(centered**2, axis=1, dtype=float64) - np.sum(along**2, axis=1, dtype=float64)
    found: NDArray[float64] = np.sqrt(np.maximum(square, 0))
    return found


def known_scores(
    logits: NDArray[float64], distance: NDArray[float64], weight: float
) -> NDArray[float64]:
    """Return the scores of photographs by their logits (n, n_labels) and distances (n,)."""
    scores: NDArray[float64] = np.logaddexp.reduce(logits, axis=1) - weight * distance
    return scores


def fit_weight(logits: NDArray[float64], distance: NDArray[float64]) -> float:
    """Return the weight at which distances count as much as the lead of the top label does.

    ``logits`` (n, n_labels) and ``distance`` (n,) are of held-out photographs.  ViM takes the
    largest logit of the training photographs: of ridge classifiers it is below 0 where labels are
    many, and few training photographs have a distance.
    """
    known = np.where(np.isfinite(logits), logits, np.nan)
    lead = np.nanmax(known, axis=1) - np.nanmean(known, axis=1)
    return float(np.mean(lead) / max(float(np.mean(distance)), 1e-12))


def unknown_threshold(scores: NDArray[float64], false_unknown_rate: float) -> float:
    """Return the score below which a photograph is unknown.

    ``scores`` (n,) are of held-out known fruit: of exchangeable new groups, ``false_unknown_rate``
    lie below on average.

    Source: split conformal prediction, Vovk, Gammerman, Shafer, Algorithmic Learning in a Random
    World, 2005, doi:10.1007/b106715.
    """
    # Of n + 1 exchangeable numbers, the new one is among the k smallest in k of n + 1 cases.
    k = int(np.floor(false_unknown_rate * (len(scores) + 1)))
    # Finite, for JSON: no score comes near.
    return float(np.sort(scores)[k - 1]) if k else -1e9
