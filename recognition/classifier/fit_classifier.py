"""Fitting the classifier of an output on all of its labeled photographs."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float32, float64, floating
from numpy.typing import NDArray

from recognition.classifier.fruit_classifier import FruitClassifier, plane
from recognition.classifier.reference_set import ReferenceSet, evenly_by_label, rounded
from recognition.classifier.ridge import (
    ClassSums,
    RidgeFit,
    Setting,
    balanced_weights,
    fit_ridge,
)
from recognition.classifier.unknown_detector import (
    N_AXES,
    UnknownDetector,
    fit_weight,
    known_scores,
    unknown_threshold,
)
from recognition.classifier.variety_classifier import VarietyClassifier, coded_varieties
from spark_assets.pca.model import PCAModel, project

# With 1280 features, 2 MB in an export for a phone.
MAX_REFERENCE = 800

# From paths to a small JPEG each, or None.
MakeThumbnails = Callable[[Sequence[str]], list[bytes | None]]


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """Out-of-fold results, by classifiers that had not seen the group of the photograph.

    Attributes
    ----------
    logits : ndarray of shape (n, n_labels), float64
        Minus infinity for a label that was not in training.
    distances : ndarray of shape (n,), float64
        From the subspace of the training photographs.
    temperature : float
        Fitted on the logits.
    """

    logits: NDArray[float64]
    distances: NDArray[float64]
    temperature: float


def fit_varieties(
    vectors: NDArray[float32],
    labels: Sequence[str],
    varieties: Sequence[str | None],
    *,
    setting: Setting,
    temperature: float,
) -> VarietyClassifier:
    """Fit on the (n, n_features) vectors that have a variety, every variety of the same weight.

    Photographs of labels without varieties are left out: with them, 4 points fewer varieties of
    apples, melons and pears from shops were right.

    Raises FruitsError where no label has two varieties.
    """
    known, codes = coded_varieties(labels, varieties)
    rows = np.flatnonzero(codes >= 0)
    weights = balanced_weights(codes[rows], len(known))
    fit = RidgeFit.of(ClassSums.of(vectors, codes, weights, rows), known.names)
    return VarietyClassifier(known, fit.classifier(setting).tempered(temperature))


def fit_classifier(
    pca: PCAModel,
    features: NDArray[floating],
    vectors: NDArray[float32],
    paths: Sequence[str],
    labels: Sequence[str],
    *,
    setting: Setting,
    held_out: HeldOut,
    false_unknown_rate: float,
    make_thumbnails: MakeThumbnails,
    varieties: VarietyClassifier | None = None,
) -> FruitClassifier:
    """Fit the classifier and the threshold of unknown, and choose the reference photographs.

    Parameters
    ----------
    pca : PCAModel
        In whose plane of the first two components photographs are shown.
    features, vectors : ndarray of shape (n, n_features)
        Features as the network makes them, and the unit vectors of them.
    paths, labels : sequence of n str
    setting : Setting
    held_out : HeldOut
        Decides the temperature and the threshold of unknown.
    false_unknown_rate : float
        The share of known fruit that may be called unknown.
    make_thumbnails : callable
        Called with the paths of at most `MAX_REFERENCE` photographs, evenly over the labels.
    varieties : VarietyClassifier, optional

    Raises
    ------
    FruitsError
        Where there are fewer than two labels, or the features do not fit the PCA.
    """
    rows = evenly_by_label(paths, labels, MAX_REFERENCE)
    points = plane(project(pca, features[rows]))
    fit = fit_ridge(vectors, labels)
    reference_paths = [paths[row] for row in rows]
    reference = ReferenceSet(
        reference_paths,
        [labels[row] for row in rows],
        rounded(vectors[rows]),
        np.ascontiguousarray(points, dtype=float32),
        make_thumbnails(reference_paths),
    )
    logits = held_out.logits / held_out.temperature
    weight = fit_weight(logits, held_out.distances)
    scores = known_scores(logits, held_out.distances, weight)
    detector = UnknownDetector(
        fit.mean.astype(float32),
        fit.subspace(N_AXES),
        weight,
        unknown_threshold(scores, false_unknown_rate),
    )
    linear = fit.classifier(setting).tempered(held_out.temperature)
    return FruitClassifier(pca, linear, detector, reference, varieties)
