"""Varieties on photographs from shops: an answered one is right, and other fruit has none."""

import numpy as np
import pytest

from recognition.classifier.vectors import ViewsEngine, vectors_of
from recognition.evaluation.evaluate_features import evaluate_by_folds, evaluate_on_test_set
from recognition.evaluation.labeled_photographs import EvaluationSetup, LabeledPhotographs
from recognition.featurize_folder import featurize_folder
from spark_assets.images.labels import LabelRule, groups_of
from spark_assets.images.rejection import ImageLimits
from spark_assets.storage.locations import parse_location
from tests.made_report import made_facts

pytestmark = pytest.mark.slow


def labeled(folder, network, **options) -> LabeledPhotographs:
    found = featurize_folder(
        parse_location(str(folder)),
        network,
        labels=LabelRule(regex="^([^/]+)/"),
        limits=ImageLimits(),
        max_images=2000,
        **options,
    )
    varieties = groups_of(found.paths, "^[^/]+/([^/]+)/", "--variety-regex")
    vectors = found.features if options else vectors_of(found.features)
    rows = np.arange(len(found.paths)).tolist()
    return LabeledPhotographs.of(vectors, found.labels, found.paths, rows, varieties)


@pytest.fixture(scope="module")
def training(data_dir, real_model) -> LabeledPhotographs:
    return labeled(data_dir / "grocery" / "Training", real_model)


@pytest.fixture(scope="module")
def setup(training) -> EvaluationSetup:
    return EvaluationSetup(
        model_id="M",
        facts=made_facts(),
        components=0.95,
        n_folds=5,
        group_by=None,
        n_unlabeled=0,
        n_copies=0,
        n_sampled=len(training),
        n_current=len(training),
        variety_regex="variety",
    )


def test_varieties_that_are_answered_are_right_on_similar_photographs_left_out(training, setup):
    scores = evaluate_by_folds(training, setup).evaluation.varieties
    assert scores is not None
    assert (scores.n_varieties, scores.n_tested, scores.n_left_out) == (12, 548, 0)
    assert scores.accuracy > 0.4
    assert scores.share_answered > 0.15
    assert scores.accuracy_answered is not None
    assert scores.accuracy_answered > 0.9


def test_in_other_shops_those_answered_are_right_more_often_than_all(
    data_dir, real_model, training, setup
):
    folder = data_dir / "grocery" / "Validation"
    others = labeled(folder, real_model, wrap_engine=ViewsEngine)
    scores = evaluate_on_test_set(training, others, setup, n_rejected=0).evaluation.varieties
    assert scores is not None
    assert (scores.n_varieties, scores.n_tested) == (12, 47)
    assert scores.accuracy_answered is not None
    assert scores.accuracy_answered > scores.accuracy > 0.4
