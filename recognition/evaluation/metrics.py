"""From answers to figures: how often a classifier was right, and how sure that is."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy import float64
from numpy.typing import NDArray
from sklearn.metrics import precision_recall_fscore_support

from recognition.classifier.linear_classifier import fit_temperature, probabilities
from spark_assets.output.evaluation_record import CalibrationBin, Confusion, LabelScore

_N_RESAMPLES = 1000
_SEED = 0
_N_BINS = 10
# No probability is 0: a label that a fold's training did not hold would give infinite surprise.
MIN_LOGIT = -1e3

Labels = NDArray[np.str_]


def accuracy_interval(
    is_right: NDArray[np.bool_], objects: Sequence[str]
) -> tuple[float, float, float]:
    """Return the accuracy, and between which it lies in 95 % of samples of as many objects.

    Whole objects are drawn: frames of one turning fruit are right or wrong together, so that an
    interval over frames is too narrow.

    Source: cluster bootstrap, Davison, Hinkley, Bootstrap Methods and their Application, 1997,
    section 3.8, doi:10.1017/CBO9780511802843.
    """
    _, numbers = np.unique(np.asarray(objects), return_inverse=True)
    n_right = np.bincount(numbers, weights=is_right)
    n_all = np.bincount(numbers)
    generator = np.random.default_rng(_SEED)
    drawn = generator.integers(len(n_all), size=(_N_RESAMPLES, len(n_all)))
    accuracies = n_right[drawn].sum(axis=1) / n_all[drawn].sum(axis=1)
    low, high = np.quantile(accuracies, [0.025, 0.975])
    return float(np.mean(is_right)), float(low), float(high)


def label_scores(truth: Labels, predicted: Labels) -> list[LabelScore]:
    """Return precision, recall and F1 of every label that was asked about."""
    labels = np.unique(truth)
    precision, recall, f1, n = precision_recall_fscore_support(
        truth, predicted, labels=labels, zero_division=0
    )
    rows = zip(labels, n, precision, recall, f1, strict=True)
    return [LabelScore(str(a), int(b), float(c), float(d), float(e)) for a, b, c, d, e in rows]


def confusions(truth: Labels, predicted: Labels) -> list[Confusion]:
    """Return every pair of label and answer that occurs, by label."""
    pairs = Counter(zip(truth.tolist(), predicted.tolist(), strict=True))
    return [Confusion(label, other, n) for (label, other), n in sorted(pairs.items())]


def temperature_of(logits: Sequence[NDArray[float64]], truth: NDArray[np.intp]) -> float:
    """Return the temperature of the logits of all folds.  ``truth`` is a column for each row."""
    return fit_temperature(np.maximum(np.concatenate(logits), MIN_LOGIT), truth)


def tempered_probabilities(
    logits: Sequence[NDArray[float64]],
    truth: NDArray[np.intp],
    *,
    temperature: float | None = None,
) -> NDArray[float64]:
    """Return the probabilities of the folds' logits, (n, n_labels), at a temperature.

    Where none is given, each fold has that of the others: none is judged by what it was set with.
    """
    logits = [np.maximum(each, MIN_LOGIT) for each in logits]
    if temperature is not None:
        return probabilities(np.concatenate(logits) / temperature)
    ends = np.cumsum([len(each) for each in logits])
    temperatures = temperatures_of_others(logits, np.split(truth, ends[:-1]))
    parts = zip(logits, temperatures, strict=True)
    return np.concatenate([probabilities(each / best) for each, best in parts])


def temperatures_of_others(
    logits: Sequence[NDArray[float64]], truths: Sequence[NDArray[np.intp]]
) -> list[float]:
    """Return for each fold the temperature of the logits of the others.

    Where the others have no photographs, it is that of the fold.
    """
    temperatures = []
    for number in range(len(logits)):
        others = [n for n, truth in enumerate(truths) if n != number and len(truth)] or [number]
        of_others = np.concatenate([logits[n] for n in others])
        temperatures.append(fit_temperature(of_others, np.concatenate([truths[n] for n in others])))
    return temperatures


def calibration(
    shares: NDArray[float64], truth: NDArray[np.intp]
) -> tuple[list[CalibrationBin], float]:
    """Return the bins of a reliability diagram, and the expected calibration error.

    Source: Naeini, Cooper, Hauskrecht, Obtaining Well Calibrated Probabilities Using Bayesian
    Binning, AAAI 2015, doi:10.1609/aaai.v29i1.9602.
    """
    sure, is_right = shares.max(axis=1), shares.argmax(axis=1) == truth
    numbers = np.minimum((sure * _N_BINS).astype(int), _N_BINS - 1)
    bins = [
        CalibrationBin(
            int(chosen.sum()), float(sure[chosen].mean()), float(is_right[chosen].mean())
        )
        for chosen in (numbers == number for number in range(_N_BINS))
        if chosen.any()
    ]
    error = sum(each.n * abs(each.mean_probability - each.accuracy) for each in bins) / len(sure)
    return bins, float(error)
