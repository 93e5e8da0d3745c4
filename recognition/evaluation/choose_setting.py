"""The choice of a setting on the user's own photographs."""

from collections.abc import Mapping

import numpy as np
from numpy import intp
from numpy.typing import NDArray

from recognition.classifier.fit_classifier import Setting
from recognition.evaluation.fold_predictions import Predictions


def balanced_accuracy(predictions: Predictions, codes: NDArray[intp]) -> tuple[float, float]:
    """Return the mean recall over the labels, and its standard error."""
    truth = codes[predictions.rows]
    is_right = predictions.codes == truth
    n = np.bincount(truth)
    recall = np.bincount(truth, is_right)[n > 0] / n[n > 0]
    variance = recall * (1 - recall) / n[n > 0]
    return float(recall.mean()), float(np.sqrt(variance.sum()) / len(recall))


def choose_ridge(predictions: Mapping[Setting, Predictions], codes: NDArray[intp]) -> Setting:
    """Return the setting to fit with, by balanced accuracy.

    Of those within one standard error of the best, the one with the most components, and of those
    the one with the strongest penalty: a penalty damps what a smaller number of components cuts
    off, and new photographs differ more from the known ones than one fold does from the others.

    Source: Breiman et al., Classification and Regression Trees, 1984, section 3.4.3.
    """
    scores = {setting: balanced_accuracy(each, codes) for setting, each in predictions.items()}
    best = max(scores, key=lambda setting: scores[setting][0])
    least = scores[best][0] - scores[best][1]
    candidates = [setting for setting, (score, _) in scores.items() if score >= least]
    return max(candidates, key=lambda each: (_n_components(predictions[each]), each.penalty))


def _n_components(predictions: Predictions) -> float:
    return np.inf if predictions.n_components is None else predictions.n_components


def choose_neighbors(predictions: Mapping[int, Predictions], codes: NDArray[intp]) -> int:
    """Return how many neighbors are right most often, by balanced accuracy."""
    scores = {k: balanced_accuracy(each, codes)[0] for k, each in predictions.items()}
    return max(scores, key=lambda k: (scores[k], -k))
