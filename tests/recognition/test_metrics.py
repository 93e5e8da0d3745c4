"""Figures of answers: an interval over objects, scores by label, calibration."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score, f1_score

from recognition.evaluation.metrics import (
    accuracy_interval,
    calibration,
    confusions,
    label_scores,
)


def test_an_interval_over_objects_is_wider_than_one_over_their_frames():
    rng = np.random.default_rng(0)
    is_right = np.repeat(rng.random(40) < 0.7, 25)  # right or wrong with all its frames
    objects = [str(number) for number in np.repeat(np.arange(40), 25)]
    accuracy, low, high = accuracy_interval(is_right, objects)
    assert low < accuracy < high
    _, frames_low, frames_high = accuracy_interval(is_right, [str(n) for n in range(1000)])
    assert high - low > 3 * (frames_high - frames_low)


def test_the_interval_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    n_held = 0
    for _ in range(60):
        is_right = rng.random(150) < 0.8
        _, low, high = accuracy_interval(is_right, [str(n) for n in range(150)])
        n_held += low <= 0.8 <= high
    assert n_held >= 52


def test_scores_by_label_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "c"], 200)
    predicted = np.where(rng.random(200) < 0.6, truth, rng.choice(["a", "b", "d"], 200))
    scores = label_scores(truth, predicted)
    assert [score.label for score in scores] == ["a", "b", "c"]
    recall = np.mean([score.recall for score in scores])
    with pytest.warns(UserWarning, match="y_pred contains classes not in y_true"):
        assert recall == pytest.approx(balanced_accuracy_score(truth, predicted))
    f1 = f1_score(truth, predicted, labels=["a", "b", "c"], average="macro")
    assert np.mean([score.f1 for score in scores]) == pytest.approx(f1)


def test_every_answer_is_in_one_pair_of_the_confusions():
    truth, predicted = np.array(["a", "a", "b"]), np.array(["a", "b", "b"])
    pairs = {(each.label, each.predicted): each.n for each in confusions(truth, predicted)}
    assert pairs == {("a", "a"): 1, ("a", "b"): 1, ("b", "b"): 1}


def test_the_calibration_error_is_none_where_probabilities_hold_and_their_excess_where_not():
    rng = np.random.default_rng(0)
    sure = rng.uniform(0.5, 1.0, 50_000)
    shares = np.column_stack([sure, 1 - sure])
    honest = np.where(rng.random(len(sure)) < sure, 0, 1)
    bins, error = calibration(shares, honest)
    assert error < 0.01
    assert sum(each.n for each in bins) == len(sure)
    boasting = np.where(rng.random(len(sure)) < sure - 0.2, 0, 1)
    assert calibration(shares, boasting)[1] == pytest.approx(0.2, abs=0.01)
