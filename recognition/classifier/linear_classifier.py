"""A linear classifier, and the temperature at which its softmax is a probability."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float64, floating
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A score for each label, linear in the vector.

    Attributes
    ----------
    labels : sequence of str
        Sorted, n_labels of them.
    coefficients : ndarray of shape (n_labels, n_features), float64
    intercepts : ndarray of shape (n_labels,), float64
    """

    labels: Sequence[str]
    coefficients: NDArray[float64]
    intercepts: NDArray[float64]

    def logits(self, vectors: NDArray[floating]) -> NDArray[float64]:
        """Return the scores of (n, n_features) vectors, (n, n_labels)."""
        logits: NDArray[float64] = vectors.astype(float64) @ self.coefficients.T + self.intercepts
        return logits

    def tempered(self, temperature: float) -> "LinearClassifier":
        """Return the classifier whose scores are divided by a temperature: the same labels win."""
        return LinearClassifier(
            self.labels, self.coefficients / temperature, self.intercepts / temperature
        )


def probabilities(logits: NDArray[float64]) -> NDArray[float64]:
    """Return the softmax of each row of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(logits: NDArray[float64], truth: NDArray[np.intp]) -> float:
    """Return what to divide logits of unseen photographs by, so that probabilities hold.

    ``logits`` is (n, n_labels), ``truth`` the column of the right label, (n,).  The one that makes
    the truth likeliest, by golden section on its logarithm.  One photograph in n + 2 may be of any
    label: of photographs that are all right, none is certain.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599; the
    n + 2 of Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    from scipy.optimize import minimize_scalar

    rows, any_label = np.arange(len(truth)), 1 / (len(truth) + 2)

    def loss(log_temperature: float) -> float:
        surprise = -np.log(np.maximum(probabilities(logits / np.exp(log_temperature)), 1e-12))
        of_truth = surprise[rows, truth].mean()
        return float((1 - any_label) * of_truth + any_label * surprise.mean())

    # Beyond these, all labels are equally likely, or one is certain.
    best = minimize_scalar(loss, bounds=(np.log(0.005), np.log(20.0)), method="bounded")
    return float(np.exp(best.x))
