"""Logistic regression on principal components: scikit-learn fits it, numpy applies it."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float64, floating
from numpy.typing import NDArray

from spark_assets.errors import FruitsError

Vectors = NDArray[floating]

# Inverse strength of the penalty on vectors of length 1 on average.  By leaving varieties out of
# the training part of fruits-360-3-body-problem, ten times more or less was within 0.02.
_INVERSE_PENALTY = 3.0
_MAX_ITERATIONS = 300


@dataclass(frozen=True, slots=True, eq=False)
class LogisticModel:
    """A linear score for each label; all arrays are float64.

    Attributes
    ----------
    labels : list of str
        Sorted, n_labels of them.
    coefficients : ndarray of shape (n_labels, n_components)
    intercepts : ndarray of shape (n_labels,)
    """

    labels: list[str]
    coefficients: NDArray[float64]
    intercepts: NDArray[float64]

    def scores(self, vectors: Vectors) -> NDArray[float64]:
        """Return the logits of (n, n_components) vectors, (n, n_labels)."""
        scores: NDArray[float64] = vectors.astype(float64) @ self.coefficients.T + self.intercepts
        return scores

    def tempered(self, temperature: float) -> "LogisticModel":
        """Return the model whose logits are divided by a temperature: the same labels win."""
        return LogisticModel(
            self.labels, self.coefficients / temperature, self.intercepts / temperature
        )


def fit_logistic(vectors: Vectors, labels: Sequence[str]) -> LogisticModel:
    """Fit a model to (n, n_components) vectors.  Raises FruitsError for fewer than two labels."""
    # Most commands start without scikit-learn, which takes two seconds to import.
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    found = sorted(set(labels))
    if len(found) < 2:
        raise FruitsError(
            f"a classifier needs photographs of at least 2 labels, got {len(found)}; sort the "
            "photographs in folders named after what is on them, or give --label-level"
        )
    # The features of one network are a hundred times as long as those of another.
    scale = float(np.sqrt(np.mean(np.sum(np.square(vectors, dtype=float64), axis=1)))) or 1.0
    regression = LogisticRegression(C=_INVERSE_PENALTY, max_iter=_MAX_ITERATIONS, tol=1e-3)
    with warnings.catch_warnings():
        # With many labels, what the last iterations change is far below what accuracy can tell.
        warnings.simplefilter("ignore", ConvergenceWarning)
        regression.fit(vectors / scale, np.asarray(labels))
    coefficients = regression.coef_.astype(float64) / scale
    intercepts = regression.intercept_.astype(float64)
    if len(found) == 2:  # scikit-learn gives the log odds of the second alone
        coefficients = np.vstack([np.zeros_like(coefficients), coefficients])
        intercepts = np.concatenate([[0.0], intercepts])
    return LogisticModel(found, coefficients, intercepts)


def probabilities(logits: NDArray[float64]) -> NDArray[float64]:
    """Return the softmax of each row of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: NDArray[float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def fit_temperature(logits: NDArray[float64], truth: NDArray[np.intp]) -> float:
    """Return what to divide logits of unseen photographs by, so that probabilities hold.

    ``logits`` is (n, n_labels), ``truth`` the column of the right label, (n,).  The one that makes
    the truth likeliest, by golden section on its logarithm.

    Source: Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599.
    """
    from scipy.optimize import minimize_scalar

    rows = np.arange(len(truth))

    def loss(log_temperature: float) -> float:
        shares = probabilities(logits / np.exp(log_temperature))[rows, truth]
        return float(-np.mean(np.log(np.maximum(shares, 1e-12))))

    # Beyond these, all labels are equally likely, or one is certain.
    best = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20.0)), method="bounded")
    return float(np.exp(best.x))
