"""The evaluation of varieties: of features whose worth is known, and what it refuses."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from recognition.classifier.variety_classifier import MIN_PROBABILITY, VarietySet
from recognition.evaluation.build_evaluation import Evaluated
from recognition.evaluation.evaluate_features import evaluate_by_folds, evaluate_on_test_set
from recognition.evaluation.evaluation_text import evaluation_lines
from recognition.evaluation.variety_scores import VarietyPredictions
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import Evaluation, VarietyScores
from tests.recognition.made_features import SETUP as OF_LABELS
from tests.recognition.made_varieties import MadeVarieties, made_varieties

pytestmark = pytest.mark.slow  # scikit-learn starts lscpu once, to count cores

SETUP = replace(OF_LABELS, variety_regex="variety")
# 6 frames of 4 objects of 5 varieties, of labels that have two or more.
N_WITH_VARIETY = 120


def evaluated(made: MadeVarieties, **changes) -> Evaluated:
    return evaluate_by_folds(made.labeled, replace(SETUP, **changes))


def scores_of(evaluated: Evaluated) -> VarietyScores:
    scores = evaluated.evaluation.varieties
    assert scores is not None
    return scores


def test_where_the_variety_is_in_the_features_it_is_right_and_answered():
    found = evaluated(made_varieties(of_label=4.0, of_variety=2.0))
    scores = scores_of(found)
    assert (scores.n_varieties, scores.n_tested, scores.n_left_out) == (5, N_WITH_VARIETY, 0)
    assert (scores.accuracy, scores.balanced_accuracy, scores.accuracy_answered) == (1.0, 1.0, 1.0)
    assert scores.share_answered > 0.9
    assert found.variety_temperature is not None
    text = "\n".join(evaluation_lines(found.evaluation))
    assert "5 varieties, held-out objects (120 photographs):\n  all " in text
    assert "answered, right 1.000" in text


def test_where_it_is_not_the_label_alone_is_answered():
    scores = scores_of(evaluated(made_varieties(of_label=4.0, of_variety=0.0)))
    assert scores.accuracy < 0.6
    assert scores.share_answered < 0.05
    assert scores.min_probability == MIN_PROBABILITY


@pytest.mark.parametrize("of_variety", [0.1, 0.2, 0.4])
def test_those_answered_are_right_as_often_as_their_probability_says(of_variety):
    found = [
        scores_of(evaluated(made_varieties(of_variety=of_variety, n_objects=8, seed=seed)))
        for seed in range(4)
    ]
    answered = [each for each in found if each.accuracy_answered is not None]
    assert answered
    n_right = sum((each.accuracy_answered or 0) * each.share_answered for each in answered)
    assert n_right / sum(each.share_answered for each in answered) > MIN_PROBABILITY
    assert all((each.accuracy_answered or 0) >= each.accuracy for each in answered)


def test_with_the_wrong_label_no_variety_is_right():
    made = made_varieties(of_label=0.0, of_variety=0.1)
    evaluation = evaluated(made).evaluation
    assert evaluation.varieties is not None
    n_of_right_label = sum(
        each.n
        for each in evaluation.confusions
        if each.label == each.predicted and each.label in ("apple", "pear")
    )
    assert evaluation.varieties.accuracy <= n_of_right_label / N_WITH_VARIETY < 0.95


def test_the_label_is_predicted_first_then_one_of_its_varieties():
    known = VarietySet(["apple", "apple", "pear", "pear"], ["Fuji", "Gala", "Conference", "red"])
    tested = VarietyPredictions(
        known,
        logits=np.array([[0.0, 0.0, 0.0, 50.0]]),
        truth=np.array([3]),
        sizes=[1],
        labels=["pear"],
        objects=["a pear"],
        n_left_out=0,
    )

    def accuracy(of_apple: float) -> float:
        shares = np.array([[of_apple, 1 - of_apple]])
        return tested.scores(["apple", "pear"], shares, np.ones(1), "regex").accuracy

    # At 0.6 the most probable variety of all is the red pear's, with 0.4.
    assert (accuracy(0.6), accuracy(0.4)) == (0.0, 1.0)


def test_a_variety_that_training_had_not_is_left_out_and_counted():
    made = made_varieties(of_label=4.0, of_variety=2.0)
    objects = [
        "one" if (label, name) == ("apple", "Gala") else each
        for label, name, each in zip(made.labels, made.varieties, made.objects, strict=True)
    ]
    scores = scores_of(evaluated(replace(made, objects=objects)))
    assert (scores.n_tested, scores.n_left_out) == (N_WITH_VARIETY - 24, 24)
    assert scores.accuracy == 1.0


def test_other_photographs_are_predicted_at_the_temperature_of_the_folds():
    made = made_varieties(of_variety=0.1)
    known = evaluated(made)
    noise = 0.3 * np.random.default_rng(7).normal(size=made.features.shape).astype(np.float32)
    others = replace(made, features=made.features + noise).labeled
    found = evaluate_on_test_set(made.labeled, others, SETUP, n_rejected=0)
    assert found.variety_temperature == pytest.approx(known.variety_temperature)
    assert scores_of(found).n_tested == N_WITH_VARIETY
    # With a temperature that is too low, nearly all are.
    assert scores_of(found).share_answered < 0.7
    strange = replace(others, varieties=["never seen"] * len(others))
    with pytest.raises(FruitsError, match="none of the 168 test photographs has a variety"):
        evaluate_on_test_set(made.labeled, strange, SETUP, n_rejected=0)


def test_another_fruit_for_which_a_variety_is_answered_is_an_error():
    made = made_varieties(of_label=4.0, of_variety=2.0)
    features = made.features.copy()
    is_kiwi, is_gala = (
        np.array([each == name for each in each_of])
        for each_of, name in ((made.labels, "kiwi"), (made.varieties, "Gala"))
    )
    features[is_kiwi] = features[is_gala]
    others = replace(made, features=features).labeled
    scores = scores_of(evaluate_on_test_set(made.labeled, others, SETUP, n_rejected=0))
    assert scores.accuracy == 1.0
    n_answered = scores.share_answered * N_WITH_VARIETY
    assert scores.accuracy_answered == pytest.approx(n_answered / (n_answered + 24), abs=0.02)


def test_what_cannot_be_evaluated_is_refused_with_a_sentence():
    made = made_varieties()
    one_each = replace(made, varieties=[None] * len(made))
    with pytest.raises(FruitsError, match="no label has photographs of two varieties; give"):
        evaluated(one_each)
    by_variety = [f"{a} {b}" for a, b in zip(made.labels, made.varieties, strict=True)]
    of_two = replace(made, objects=by_variety).labeled.take(
        [row for row, label in enumerate(made.labels) if label in ("apple", "pear")]
    )
    with pytest.raises(
        FruitsError, match="the variety of none of 120 photographs can be evaluated"
    ):
        evaluate_by_folds(of_two, replace(SETUP, n_folds=5))


def test_varieties_are_read_as_they_were_written_and_without_them_as_before():
    made = made_varieties()
    for evaluation in (
        evaluated(made).evaluation,
        evaluated(made, variety_regex=None).evaluation,
    ):
        assert Evaluation.from_json(json.loads(json.dumps(asdict(evaluation)))) == evaluation
    assert evaluation.varieties is None
    before = {name: value for name, value in asdict(evaluation).items() if name != "varieties"}
    assert Evaluation.from_json(before) == evaluation
