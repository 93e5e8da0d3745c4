"""An evaluation: what it tells of features whose worth is known, and what it refuses."""

from dataclasses import asdict, replace

import numpy as np
import pytest

from recognition.classifier.temperature import softmax
from recognition.evaluation.evaluate_features import evaluate_by_folds, evaluate_on_test_set
from recognition.evaluation.labeled_photographs import LabeledPhotographs, labeled_rows
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import NEAREST, RIDGE, Evaluation
from tests.made_report import made_facts
from tests.recognition.made_features import SETUP, made_photographs

pytestmark = pytest.mark.slow  # scikit-learn starts lscpu once, to count cores


def accuracy(evaluation: Evaluation, split: str, classifier: str) -> float:
    (score,) = (
        score
        for score in evaluation.scores
        if (score.split, score.classifier) == (split, classifier) and score.n_components
    )
    return score.accuracy


def test_leaving_photographs_out_flatters_where_objects_tell_nothing_of_each_other():
    # Nothing but the object is in the features: a label cannot be known from other objects.
    photographs = made_photographs(of_label=0.0, n_objects=12, n_frames=24).labeled
    evaluation = evaluate_by_folds(photographs, SETUP).evaluation
    assert accuracy(evaluation, "photographs", NEAREST) > 0.95
    assert accuracy(evaluation, "objects", NEAREST) < 0.6
    assert evaluation.main_split == "objects"


def test_where_the_label_is_in_the_features_every_classifier_finds_it():
    evaluation = evaluate_by_folds(made_photographs(of_label=4.0).labeled, SETUP).evaluation
    assert {score.accuracy for score in evaluation.scores} == {1.0}
    assert evaluation.mistakes == []
    assert {(each.label, each.recall) for each in evaluation.by_label} == {
        (f"label {number}", 1.0) for number in range(3)
    }


def test_the_answers_of_all_photographs_are_counted():
    photographs = made_photographs(of_label=0.5).labeled
    evaluation = evaluate_by_folds(photographs, SETUP).evaluation
    n = len(photographs)
    assert sum(each.n for each in evaluation.confusions) == n
    assert sum(each.n for each in evaluation.calibration) == n
    assert sum(each.n for each in evaluation.by_label) == evaluation.n_tested == n
    assert {point.classifier for point in evaluation.curve} == {NEAREST, RIDGE}
    assert Evaluation.from_json(asdict(evaluation)) == evaluation


def test_the_pca_of_a_fold_does_not_see_what_is_asked_about():
    photographs = made_photographs(of_label=0.5).labeled
    evaluation = evaluate_on_test_set(photographs, photographs, SETUP, n_rejected=0).evaluation
    # An outlier among what is asked about would turn a PCA that saw it.
    moved = photographs.vectors.copy()
    moved[0] = 0
    moved[0, 0] = 1
    others = LabeledPhotographs(moved, photographs.labels, photographs.objects)
    with_outlier = evaluate_on_test_set(photographs, others, SETUP, n_rejected=0).evaluation
    components = [score.n_components for score in evaluation.scores]
    assert [score.n_components for score in with_outlier.scores] == components
    n_changed = len(photographs) * abs(
        accuracy(evaluation, "test", NEAREST) - accuracy(with_outlier, "test", NEAREST)
    )
    assert n_changed < 1.5


def test_a_label_of_a_single_object_is_left_out_and_named():
    one = made_photographs(n_labels=4).labeled
    is_other = [label == "label 1" for label in one.labels]
    objects = [
        "lonely" if other else name for other, name in zip(is_other, one.objects, strict=True)
    ]
    evaluated = evaluate_by_folds(LabeledPhotographs(one.vectors, one.labels, objects), SETUP)
    assert evaluated.evaluation.labels_left_out == ["label 1"]
    assert evaluated.evaluation.n_tested == is_other.count(False)
    # The classifier that is fitted on all labels needs a column of each.
    logits = evaluated.held_out.logits
    assert logits.shape == (is_other.count(False), 4)
    assert np.isinf(logits[:, 1]).all()
    assert np.isfinite(logits[:, [0, 2, 3]]).all()


def test_labels_that_the_output_does_not_have_are_not_asked_about():
    photographs, others = made_photographs().labeled, made_photographs(n_labels=4).labeled
    evaluation = evaluate_on_test_set(photographs, others, SETUP, n_rejected=2).evaluation
    assert evaluation.labels_left_out == ["label 3"]
    assert (evaluation.n_tested, evaluation.n_test_rejected) == (144, 2)


def test_what_cannot_be_evaluated_is_refused_with_a_sentence():
    photographs = made_photographs(n_labels=1).labeled
    with pytest.raises(FruitsError, match="needs photographs of at least 2 labels, got 1; sort"):
        evaluate_by_folds(photographs, SETUP)
    strangers = LabeledPhotographs(
        photographs.vectors, ["x"] * len(photographs), photographs.objects
    )
    with pytest.raises(
        FruitsError, match="none of the 48 test photographs has one of the 3 labels"
    ):
        evaluate_on_test_set(made_photographs().labeled, strangers, SETUP, n_rejected=0)


def test_random_weights_keep_their_warning():
    setup = replace(SETUP, facts=made_facts(warning="random numbers"), group_by=None)
    evaluation = evaluate_by_folds(made_photographs().labeled, setup).evaluation
    assert evaluation.warning == "random numbers"
    assert evaluation.main_split == "clusters"


def test_the_temperature_makes_overconfident_answers_hold():
    photographs = made_photographs(of_label=0.6, of_object=1.5, n_objects=20).labeled
    evaluated = evaluate_by_folds(photographs, SETUP)
    assert evaluated.evaluation.calibration_error < 0.15
    sure = softmax(evaluated.held_out.logits / 0.02).max(axis=1)
    held = softmax(evaluated.held_out.logits / evaluated.held_out.temperature).max(axis=1)
    assert held.mean() < sure.mean() - 0.1


def test_clusters_that_are_left_out_are_harder_than_photographs():
    photographs = made_photographs(of_label=1.0, of_object=2.0, n_objects=12).labeled
    evaluation = evaluate_by_folds(photographs, replace(SETUP, group_by=None)).evaluation
    assert evaluation.main_split == evaluation.chosen_by == "clusters"
    clusters = accuracy(evaluation, "clusters", NEAREST)
    assert clusters < accuracy(evaluation, "photographs", NEAREST) - 0.2


def test_a_copy_is_asked_about_once_and_never_where_it_was_learnt():
    labels = ["apple", None, "apple", "pear", "pear"]
    digests = ["1", "2", "1", "3", "4"]
    assert labeled_rows(labels, digests) == ([0, 3, 4], 1)
    assert labeled_rows(labels, digests, {"3", "2"}) == ([0, 4], 2)
