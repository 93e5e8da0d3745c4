"""Fitting a classifier to all labeled photographs of an output."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy import float32, floating
from numpy.typing import NDArray

from recognition.classifier.known import (
    KnownPhotographs,
    directions_of,
    evenly_by_label,
    similarity_floor,
)
from recognition.classifier.logistic import fit_logistic
from recognition.classifier.model import FruitClassifier, plane
from spark_assets.pca.model import PCAModel, project

# With 1280 features, 2 MB: a phone is to carry them.
MAX_KNOWN = 800

# From paths to a small JPEG each, or None.
MakeThumbnails = Callable[[Sequence[str]], list[bytes | None]]


def fit_classifier(
    pca: PCAModel,
    features: NDArray[floating],
    paths: Sequence[str],
    labels: Sequence[str],
    objects: Sequence[str],
    *,
    temperature: float,
    refusal_rate: float,
    make_thumbnails: MakeThumbnails,
) -> FruitClassifier:
    """Fit a classifier on (n, n_features) features in the space of a PCA model.

    ``temperature`` is what logits of unseen photographs are divided by, ``refusal_rate`` the share
    of known fruit that may be called unknown.  At most `MAX_KNOWN` photographs are kept to compare
    with, evenly over the labels.

    Raises FruitsError where there are fewer than two labels, or the features do not fit the model.
    """
    reduced = project(pca, features)
    logistic = fit_logistic(reduced, labels).tempered(temperature)
    rows = evenly_by_label(paths, labels, MAX_KNOWN)
    kept_paths = [paths[row] for row in rows]
    known = KnownPhotographs(
        kept_paths,
        [labels[row] for row in rows],
        directions_of(features[rows]),
        np.ascontiguousarray(plane(reduced[rows]), dtype=float32),
        make_thumbnails(kept_paths),
    )
    floor = similarity_floor(features, objects, rows, refusal_rate=refusal_rate)
    return FruitClassifier(pca, logistic, known, floor)
