"""Metrics of predictions: accuracy with an interval, recall, confusions, calibration."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy import float64
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from spark_assets.output.evaluation_record import CalibrationBin, Confusion, LabelScore

_N_RESAMPLES = 1000
_SEED = 0
_N_BINS = 10
Labels = NDArray[np.str_]


def accuracy_interval(
    is_right: NDArray[np.bool_], objects: Sequence[str]
) -> tuple[float, float, float]:
    """Return the accuracy and the limits of its 95 % interval, by a cluster bootstrap.

    Whole objects are drawn: frames of one turning fruit are right or wrong together, so that an
    interval over frames is too narrow.

    Parameters
    ----------
    is_right : ndarray of shape (n,)
    objects : sequence of n str

    References
    ----------
    Davison, Hinkley, Bootstrap Methods and their Application, 1997, section 3.8,
    doi:10.1017/CBO9780511802843.
    """
    _, numbers = np.unique(np.asarray(objects), return_inverse=True)
    n_right = np.bincount(numbers, weights=is_right)
    n_all = np.bincount(numbers)
    generator = np.random.default_rng(_SEED)
    drawn = generator.integers(len(n_all), size=(_N_RESAMPLES, len(n_all)))
    accuracies = n_right[drawn].sum(axis=1) / n_all[drawn].sum(axis=1)
    low, high = np.quantile(accuracies, [0.025, 0.975])
    return float(np.mean(is_right)), float(low), float(high)


def balanced_accuracy(truth: NDArray[Any], predicted: NDArray[Any]) -> tuple[float, float]:
    """Return the mean recall over the labels, and its standard error.

    Both arguments are (n,), numbers or names of labels.
    """
    _, codes = np.unique(truth, return_inverse=True)
    n = np.bincount(codes)
    recall = np.bincount(codes, truth == predicted) / n
    variance = recall * (1 - recall) / n
    return float(recall.mean()), float(np.sqrt(variance.sum()) / len(recall))


def label_scores(truth: Labels, predicted: Labels) -> list[LabelScore]:
    """Return precision, recall and F1 of every label in ``truth``."""
    labels = np.unique(truth)
    precision, recall, f1, n = precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    rows = zip(labels, n, precision, recall, f1, strict=True)
    return [LabelScore(str(a), int(b), float(c), float(d), float(e)) for a, b, c, d, e in rows]


def confusions(truth: Labels, predicted: Labels) -> list[Confusion]:
    """Return the count of every pair of true and predicted label, by label."""
    pairs = Counter(zip(truth.tolist(), predicted.tolist(), strict=True))
    return [Confusion(label, other, n) for (label, other), n in sorted(pairs.items())]


def calibration(
    probabilities: NDArray[float64], truth: NDArray[np.intp]
) -> tuple[list[CalibrationBin], float]:
    """Return the bins of a reliability diagram, and the expected calibration error.

    Parameters
    ----------
    probabilities : ndarray of shape (n, n_labels)
    truth : ndarray of shape (n,)
        The column of the right label.

    References
    ----------
    Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian Binning,
    AAAI 2015, doi:10.1609/aaai.v29i1.9602.
    """
    top, is_right = probabilities.max(axis=1), probabilities.argmax(axis=1) == truth
    numbers = np.minimum((top * _N_BINS).astype(int), _N_BINS - 1)
    bins = [
        CalibrationBin(int(chosen.sum()), float(top[chosen].mean()), float(is_right[chosen].mean()))
        for chosen in (numbers == number for number in range(_N_BINS))
        if chosen.any()
    ]
    error = sum(each.n * abs(each.mean_probability - each.accuracy) for each in bins) / len(top)
    return bins, float(error)
