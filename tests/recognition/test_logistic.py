"""The logistic regression and its temperature: an oracle, and what they promise."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from recognition.classifier.logistic import fit_logistic, fit_temperature, probabilities
from spark_assets.errors import FruitsError
from tests.recognition.made_features import made_photographs


@pytest.mark.parametrize("n_labels", [2, 3])
def test_probabilities_are_those_of_scikit_learn(n_labels):
    photographs = made_photographs(n_labels=n_labels, of_label=0.4)
    features = photographs.features - photographs.features.mean(axis=0)
    scale = np.sqrt(np.mean(np.sum(features.astype(float) ** 2, axis=1)))
    oracle = LogisticRegression(C=3.0, max_iter=300, tol=1e-3)
    oracle.fit(features / scale, photographs.labels)
    model = fit_logistic(features, photographs.labels)
    assert model.labels == oracle.classes_.tolist()
    found = probabilities(model.scores(features))
    np.testing.assert_allclose(found, oracle.predict_proba(features / scale), atol=1e-5)


def test_a_network_with_longer_features_gives_the_same_answers():
    photographs = made_photographs(of_label=0.4)
    short = fit_logistic(photographs.features, photographs.labels)
    long = fit_logistic(1000 * photographs.features, photographs.labels)
    np.testing.assert_allclose(
        short.scores(photographs.features), long.scores(1000 * photographs.features), atol=1e-2
    )


def test_one_label_is_refused_with_a_sentence():
    with pytest.raises(FruitsError, match="at least 2 labels, got 1; sort the photographs"):
        fit_logistic(np.ones((4, 2)), ["apple"] * 4)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
def test_the_temperature_that_logits_were_spoilt_by_is_found(temperature):
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=2, size=(20_000, 4))
    draws = rng.random(len(logits))
    truth = (probabilities(logits).cumsum(axis=1) < draws[:, np.newaxis]).sum(axis=1)
    assert fit_temperature(temperature * logits, truth) == pytest.approx(temperature, rel=0.05)


def test_a_temperature_changes_no_answer():
    photographs = made_photographs(of_label=0.4)
    model = fit_logistic(photographs.features, photographs.labels)
    before, after = (each.scores(photographs.features) for each in (model, model.tempered(3.0)))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    np.testing.assert_allclose(before, 3.0 * after)
