"""The temperature of a linear classifier: what it promises."""

import numpy as np
import pytest

from recognition.classifier.linear_classifier import LinearClassifier
from recognition.classifier.temperature import fit_temperature, softmax


@pytest.mark.parametrize("temperature", [0.05, 1.0, 4.0])
def test_the_temperature_that_logits_were_spoilt_by_is_found(temperature):
    rng = np.random.default_rng(1)
    logits = rng.normal(scale=2, size=(20_000, 4))
    draws = rng.random(len(logits))
    truth = (softmax(logits).cumsum(axis=1) < draws[:, np.newaxis]).sum(axis=1)
    assert fit_temperature(temperature * logits, truth) == pytest.approx(temperature, rel=0.05)


def test_a_temperature_changes_no_prediction():
    rng = np.random.default_rng(0)
    linear = LinearClassifier(["a", "b", "c"], rng.normal(size=(3, 8)), rng.normal(size=3))
    vectors = rng.normal(size=(20, 8))
    before, after = (each.logits(vectors) for each in (linear, linear.tempered(3.0)))
    assert (before.argmax(axis=1) == after.argmax(axis=1)).all()
    np.testing.assert_allclose(before, 3.0 * after)
