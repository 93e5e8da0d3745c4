"""Ridge classifiers from sums: scikit-learn as oracle, and what the sums promise."""

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifier

from recognition.classifier.ridge import ClassSums, RidgeFit, Setting, balanced_weights, fit_ridge
from recognition.classifier.vectors import vectors_of
from spark_assets.errors import FruitsError
from tests.recognition.made_features import made_photographs

PHOTOGRAPHS = made_photographs(of_label=0.3, n_objects=7).labeled
# Labels of different numbers of photographs, so that weights matter.
ROWS = np.r_[0:56, 56:76, 112:142]
VECTORS, LABELS = PHOTOGRAPHS.vectors[ROWS], [PHOTOGRAPHS.labels[row] for row in ROWS]


@pytest.mark.parametrize("penalty", [0.03, 1.0])
@pytest.mark.parametrize("n_labels", [2, 3])
def test_scores_are_those_of_scikit_learn(penalty, n_labels):
    n = {2: 76, 3: len(LABELS)}[n_labels]
    vectors, labels = VECTORS[:n].astype(float), LABELS[:n]
    fit = fit_ridge(VECTORS[:n], labels)
    oracle = RidgeClassifier(alpha=penalty, class_weight="balanced")
    oracle.fit((vectors - fit.mean) / np.sqrt(fit.mean_square), labels)
    expected = oracle.decision_function((vectors - fit.mean) / np.sqrt(fit.mean_square))
    found = fit.classifier(Setting(penalty, None)).logits(vectors)
    if n_labels == 2:  # scikit-learn gives the score of the second alone
        np.testing.assert_allclose(found[:, 0], -found[:, 1], atol=1e-6)
        found = found[:, 1]
    np.testing.assert_allclose(found, expected, atol=1e-3)  # sums of float32


def test_scores_along_some_axes_are_those_of_their_classifier():
    fit = fit_ridge(VECTORS, LABELS)
    for n_axes in (1, 5, None):
        np.testing.assert_allclose(
            fit.logits(fit.project(VECTORS), Setting(0.3, n_axes)),
            fit.classifier(Setting(0.3, n_axes)).logits(VECTORS),
            atol=1e-5,
        )


def test_sums_without_a_part_are_those_over_the_rest():
    _, codes = np.unique(LABELS, return_inverse=True)
    weights, rows = balanced_weights(codes, 3), np.arange(len(codes))
    everything = ClassSums.of(VECTORS, codes, weights, rows)
    rest = everything - ClassSums.of(VECTORS, codes, weights, rows[::3])
    again = ClassSums.of(VECTORS, codes, weights, np.setdiff1d(rows, rows[::3]))
    for name in ("scatter", "totals", "weights"):
        np.testing.assert_allclose(getattr(rest, name), getattr(again, name), atol=1e-5)


def test_every_label_weighs_as_much():
    _, codes = np.unique(LABELS, return_inverse=True)
    weights = balanced_weights(codes, 3)
    np.testing.assert_allclose(np.bincount(codes) * weights, len(codes) / 3)


def test_axes_are_orthonormal_and_a_share_of_the_variance_is_reached_by_as_few():
    fit = fit_ridge(VECTORS, LABELS)
    np.testing.assert_allclose(fit.axes.T @ fit.axes, np.eye(VECTORS.shape[1]), atol=1e-9)
    n = fit.n_axes(0.9)
    shares = np.cumsum(fit.variances) / fit.variances.sum()
    assert shares[n - 1] >= 0.9 > shares[n - 2]


def test_a_label_without_rows_is_not_predicted():
    _, codes = np.unique(LABELS, return_inverse=True)
    sums = ClassSums.of(VECTORS, codes, balanced_weights(codes, 3), np.flatnonzero(codes != 1))
    assert RidgeFit.of(sums, ["a", "b", "c"]).labels == ["a", "c"]


def test_one_label_is_refused_with_a_sentence():
    with pytest.raises(FruitsError, match="at least 2 labels, got 1; sort the photographs"):
        fit_ridge(VECTORS[:4], ["apple"] * 4)


def test_a_network_with_longer_features_gives_the_same_vectors():
    features = made_photographs().features
    np.testing.assert_allclose(vectors_of(features), vectors_of(1000 * features), atol=1e-6)
    assert vectors_of(np.zeros((1, 5))).tolist() == [[0.0] * 5]
