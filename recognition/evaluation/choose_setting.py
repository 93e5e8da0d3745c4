"""The choice of penalty, number of components and number of neighbors, by folds."""

from collections.abc import Mapping

import numpy as np
from numpy import intp
from numpy.typing import NDArray

from recognition.classifier.ridge import Setting
from recognition.evaluation.fold_predictions import Predictions
from recognition.evaluation.metrics import balanced_accuracy


def choose_ridge(predictions: Mapping[Setting, Predictions], codes: NDArray[intp]) -> Setting:
    """Return the setting to fit with, by balanced accuracy.

    Of those within one standard error of the best, the one with the most components, and of those
    the one with the strongest penalty: a penalty damps what a smaller number of components cuts
    off, and new photographs differ more from the training than one fold does from the others.

    ``codes`` (n,) are the numbers of the labels of all photographs.

    Source: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3.
    """
    scores = {
        setting: balanced_accuracy(codes[each.rows], each.codes)
        for setting, each in predictions.items()
    }
    best, error = max(scores.values(), key=lambda score: score[0])
    candidates = [setting for setting, (score, _) in scores.items() if score >= best - error]
    return max(candidates, key=lambda each: (_n_components(predictions[each]), each.penalty))


def choose_neighbors(predictions: Mapping[int, Predictions], codes: NDArray[intp]) -> int:
    """Return the number of neighbors with the best balanced accuracy, of several the smallest."""
    scores = {
        k: balanced_accuracy(codes[each.rows], each.codes)[0] for k, each in predictions.items()
    }
    return max(scores, key=lambda k: (scores[k], -k))


def _n_components(predictions: Predictions) -> float:
    return np.inf if predictions.n_components is None else predictions.n_components
