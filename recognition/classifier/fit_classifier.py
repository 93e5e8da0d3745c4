"""Fitting a classifier to all labeled photographs of an output."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float32, float64, floating
from numpy.typing import NDArray

from recognition.classifier.fruit_classifier import FruitClassifier, plane
from recognition.classifier.reference_set import ReferenceSet, evenly_by_label, rounded
from recognition.classifier.ridge import ClassSums, RidgeFit, balanced_weights
from recognition.classifier.unknown_detector import (
    N_AXES,
    UnknownDetector,
    known_scores,
    unknown_threshold,
    weight_of,
)
from recognition.classifier.variety_classifier import VarietyClassifier, coded_varieties
from spark_assets.pca.model import PCAModel, project

# With 1280 features, 2 MB: a phone is to carry them.
MAX_REFERENCE = 800

# From paths to a small JPEG each, or None.
MakeThumbnails = Callable[[Sequence[str]], list[bytes | None]]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a ridge classifier is fitted with.

    ``penalty`` is of vectors whose mean square is 1; ``components`` is a number of principal axes,
    a share of the variance, or None for all.
    """

    penalty: float
    components: int | float | None


@dataclass(frozen=True, slots=True, eq=False)
class HeldOut:
    """What classifiers that had not seen its group found of each photograph.

    Attributes
    ----------
    logits : ndarray of shape (n, n_labels), float64
        Minus infinity for a label that the classifier had not.
    distances : ndarray of shape (n,), float64
        From the subspace of the photographs that it was fitted on.
    temperature : float
        At which the softmax of the logits holds.
    """

    logits: NDArray[float64]
    distances: NDArray[float64]
    temperature: float


def fit_ridge(vectors: NDArray[float32], labels: Sequence[str]) -> RidgeFit:
    """Fit ridge classifiers on (n, n_features) vectors, every label of the same weight.

    Raises FruitsError for fewer than two labels.
    """
    names, codes = np.unique(np.asarray(labels), return_inverse=True)
    weights = balanced_weights(codes, len(names))
    return RidgeFit.of(ClassSums.of(vectors, codes, weights, np.arange(len(codes))), names.tolist())


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
    linear = fit.classifier(setting.penalty, fit.n_axes(setting.components))
    return VarietyClassifier(known, linear.tempered(temperature))


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
    """Fit a classifier on (n, n_features) vectors; the plane of a PCA has its photographs.

    ``features`` (n, n_features) are those that the vectors were made of.  ``false_unknown_rate`` is
    the share of known fruit that may be called unknown.  At most `MAX_REFERENCE` photographs are
    kept to compare with, evenly over the labels.

    Raises FruitsError where there are fewer than two labels, or the features do not fit the PCA.
    """
    rows = evenly_by_label(paths, labels, MAX_REFERENCE)
    points = plane(project(pca, features[rows]))
    fit = fit_ridge(vectors, labels)
    linear = fit.classifier(setting.penalty, fit.n_axes(setting.components))
    linear = linear.tempered(held_out.temperature)
    kept_paths = [paths[row] for row in rows]
    reference = ReferenceSet(
        kept_paths,
        [labels[row] for row in rows],
        rounded(vectors[rows]),
        np.ascontiguousarray(points, dtype=float32),
        make_thumbnails(kept_paths),
    )
    logits = held_out.logits / held_out.temperature
    weight = weight_of(logits, held_out.distances)
    scores = known_scores(logits, held_out.distances, weight)
    detector = UnknownDetector(
        fit.mean.astype(float32),
        fit.subspace(N_AXES),
        weight,
        unknown_threshold(scores, false_unknown_rate),
    )
    return FruitClassifier(pca, linear, detector, reference, varieties)
