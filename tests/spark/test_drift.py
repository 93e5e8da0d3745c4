"""The alarm of drift keeps its rate, and tells what is new; on drawn features, without Spark.

On photographs, with a new fruit, blur, darkening and another background: `studies.drift_2026_11`.
"""

import numpy as np
import pytest

from spark_assets.errors import FruitsError
from spark_assets.pca.drift import (
    MIN_IMAGES,
    Batch,
    DriftReference,
    FitQuality,
    batch_fit,
    parse_alarm_rate,
)
from spark_assets.pca.model import fit
from spark_assets.pca.reconstruction import Measures
from spark_assets.pca.statistics import PCAStatistics

N_FEATURES, N_FITTED = 40, 150
LABELS = frozenset({"apple", "kiwi"})


def drawn(generator, n, *, shift=0.0, scale=1.0):
    """Draw features as of fruit: a few directions of weight, and noise."""
    spread = np.geomspace(5, 0.2, N_FEATURES) * scale
    return (generator.normal(size=(n, N_FEATURES)) * spread + shift).astype(np.float32)


@pytest.fixture(scope="module")
def fitted():
    return fitted_on(np.random.default_rng(0))


def fitted_on(generator):
    features = drawn(generator, N_FITTED)
    statistics = PCAStatistics.from_features(features)
    model = fit(statistics, 0.9)
    measures = Measures.of_fitted(statistics, model.n_components, features)
    return model, DriftReference(measures, LABELS)


def quality(fitted, features, labels=LABELS, **options) -> FitQuality:
    model, reference = fitted
    batch = Batch(len(features), 0, Measures.of_new(model, features), labels)
    return batch_fit(reference, batch, **options)


@pytest.mark.slow
def test_without_drift_the_alarm_goes_off_as_often_as_it_may():
    """Over many fits: what one fit has drawn, all of its batches are compared with."""
    generator = np.random.default_rng(1)
    fits = [fitted_on(generator) for _ in range(40)]
    alarms = sum(quality(each, drawn(generator, 30)).alarm for each in fits for _ in range(5))
    assert 4 <= alarms <= 16


@pytest.mark.slow
@pytest.mark.parametrize(
    "change", [{"shift": 1.5}, {"scale": 0.6}, {"scale": 1.6}], ids=["moved", "narrower", "wider"]
)
def test_a_drift_is_told_nearly_always(fitted, change):
    generator = np.random.default_rng(2)
    alarms = sum(quality(fitted, drawn(generator, 60, **change)).alarm for _ in range(20))
    assert alarms >= 19


def test_the_sentence_says_when_a_refit_is_due(fitted):
    generator = np.random.default_rng(3)
    assert quality(fitted, drawn(generator, 60, shift=5.0)).sentence.startswith("drift: ")
    few = quality(fitted, drawn(generator, MIN_IMAGES - 1))
    assert (few.p_value, few.alarm) == (None, False)
    assert "too few to measure drift" in few.sentence


def test_labels_that_were_never_seen_are_named(fitted):
    found = quality(fitted, drawn(np.random.default_rng(4), 30), labels=frozenset({"kiwi", "fig"}))
    assert (found.n_unseen_labels, found.unseen_labels) == (1, ["fig"])
    assert found.sentence.endswith("; 1 label never seen: fig")


def test_the_reference_and_the_quality_come_back_as_they_were_kept(fitted):
    _, reference = fitted
    kept = DriftReference.from_table(reference.to_table())
    np.testing.assert_array_equal(kept.measures.error, reference.measures.error)
    np.testing.assert_array_equal(kept.measures.sketch, reference.measures.sketch)
    assert kept.labels == LABELS
    found = quality(fitted, drawn(np.random.default_rng(5), 30))
    assert FitQuality.from_json(found.to_json()) == found


def test_images_that_are_fitted_are_measured_as_if_they_were_new():
    generator = np.random.default_rng(6)
    ratios = []
    for _ in range(20):
        model, reference = fitted_on(generator)
        new = Measures.of_new(model, drawn(generator, 1000))
        ratios.append(np.mean(reference.measures.error) / np.mean(new.error))
    assert 0.98 < np.mean(ratios) < 1.02


@pytest.mark.parametrize("text", ["0", "1", "-0.1", "nan", "often"])
def test_a_rate_that_is_none_is_refused(text):
    with pytest.raises(FruitsError, match="is not a rate of false alarms; give --drift-alarm-rate"):
        parse_alarm_rate(text)
