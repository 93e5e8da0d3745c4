"""Unknown: distances from a subspace, and the share of known fruit that is refused."""

import numpy as np
import pytest

from recognition.classifier.unknown_detector import distances, known_scores, unknown_threshold


def test_the_distance_from_a_subspace_is_that_of_what_is_left_of_a_projection():
    rng = np.random.default_rng(0)
    axes, _ = np.linalg.qr(rng.normal(size=(12, 3)))
    mean, vectors = rng.normal(size=12), rng.normal(size=(9, 12))
    centered = vectors - mean
    left = centered - centered @ axes @ axes.T
    found = distances(vectors, mean, axes)
    np.testing.assert_allclose(found, np.linalg.norm(left, axis=1))
    assert distances(mean[np.newaxis] + axes[:, 0], mean, axes) == pytest.approx([0.0], abs=1e-7)


def test_what_is_farther_or_less_sure_is_less_known():
    logits = np.array([[3.0, 0.0], [1.0, 0.0]])
    near, far = np.array([0.1, 0.1]), np.array([0.5, 0.5])
    assert (known_scores(logits, near, 2.0) > known_scores(logits, far, 2.0)).all()
    assert known_scores(logits, near, 2.0)[0] > known_scores(logits, near, 2.0)[1]


def test_at_the_nominal_rate_that_share_of_like_photographs_is_refused():
    rates = []
    for seed in range(200):
        scores = np.random.default_rng(seed).normal(size=600)
        threshold = unknown_threshold(scores[:300], 0.05)
        rates.append(np.mean(scores[300:] < threshold))
    assert np.mean(rates) == pytest.approx(0.05, abs=0.005)


def test_a_rate_of_nothing_refuses_nothing():
    assert unknown_threshold(np.array([-1e6, 0.0]), 0.0) < -1e6
