"""The temperature at which the softmax of a classifier's logits is a probability."""

from collections.abc import Sequence

import numpy as np
from numpy import float64, intp
from numpy.typing import NDArray

# Of a label that the training part of a fold had not: minus infinity would be an infinite loss.
_MIN_LOGIT = -1e3

Logits = NDArray[float64]


def softmax(logits: Logits) -> Logits:
    """Return the softmax of each row of logits."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Logits = powers / powers.sum(axis=1, keepdims=True)
    return probabilities


def finite(logits: Logits) -> Logits:
    """Return logits without minus infinity."""
    return np.maximum(logits, _MIN_LOGIT)


def fit_temperature(logits: Logits, truth: NDArray[intp]) -> float:
    """Return the divisor of the logits of held-out photographs that calibrates their softmax.

    It minimizes the negative log-likelihood.  One photograph in n + 2 may be of any label: of
    photographs that are all right, none is certain.

    Parameters
    ----------
    logits : ndarray of shape (n, n_labels)
    truth : ndarray of shape (n,)
        The column of the right label.

    References
    ----------
    Guo et al., On Calibration of Modern Neural Networks, ICML 2017, arXiv:1706.04599; the n + 2 of
    Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    # `fruits identify` fits no temperature, and SciPy takes 0.9 s to import.
    from scipy.optimize import minimize_scalar

    logits = finite(logits)
    rows, any_label = np.arange(len(truth)), 1 / (len(truth) + 2)

    def loss(log_temperature: float) -> float:
        surprise = -np.log(np.maximum(softmax(logits / np.exp(log_temperature)), 1e-12))
        of_truth = surprise[rows, truth].mean()
        return float((1 - any_label) * of_truth + any_label * surprise.mean())

    # Beyond these, all labels are equally likely, or one is certain.
    best = minimize_scalar(loss, bounds=(np.log(0.005), np.log(20.0)), method="bounded")
    return float(np.exp(best.x))


def cross_fitted_temperatures(
    logits: Sequence[Logits], truths: Sequence[NDArray[intp]]
) -> list[float]:
    """Return for each fold the temperature of the other folds: none is judged by its own.

    Where the others have no photographs, it is that of the fold.

    Parameters
    ----------
    logits : for each fold an ndarray of shape (n, n_labels)
    truths : for each fold an ndarray of shape (n,)
        The column of the right label.
    """
    temperatures = []
    for fold in range(len(logits)):
        others = [n for n, truth in enumerate(truths) if n != fold and len(truth)] or [fold]
        temperatures.append(
            fit_temperature(
                np.concatenate([logits[n] for n in others]),
                np.concatenate([truths[n] for n in others]),
            )
        )
    return temperatures
