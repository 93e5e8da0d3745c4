"""What classifiers answer for photographs that they were not fitted on."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy import float64, floating
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from recognition.classifier.logistic import fit_logistic
from recognition.evaluation.folds import Fold, Rows
from recognition.evaluation.spaces import FittedSpaces, Space
from spark_assets.output import evaluation

Labels = NDArray[np.str_]


class ClassifierName(StrEnum):
    """The classifiers that are compared."""

    NEAREST = evaluation.NEAREST
    LOGISTIC = evaluation.LOGISTIC


@dataclass(slots=True, eq=False)
class Predictions:
    """Answers of one classifier in one space, fold after fold.

    ``rows`` are the rows of the photographs that were asked about; ``logits`` is (n, n_labels) of
    all labels in order, minus infinity for one that the fold's training had not, and empty for
    the nearest neighbor.
    """

    rows: list[Rows] = field(default_factory=list)
    predicted: list[Labels] = field(default_factory=list)
    logits: list[NDArray[float64]] = field(default_factory=list)
    n_components: list[int | None] = field(default_factory=list)

    @property
    def all_rows(self) -> Rows:
        return np.concatenate(self.rows)

    @property
    def all_predicted(self) -> Labels:
        return np.concatenate(self.predicted)

    @property
    def typical_n_components(self) -> int | None:
        """Return the median number of components over the folds."""
        counts = [n for n in self.n_components if n is not None]
        return round(float(np.median(counts))) if counts else None


Asked = tuple[ClassifierName, Space]


def predict_folds(
    features: NDArray[floating],
    labels: Sequence[str],
    folds: Iterable[Fold],
    asked: Sequence[Asked],
) -> dict[Asked, Predictions]:
    """Fit on the training of each fold and answer for its test, for all classifiers and spaces.

    ``features`` is (n, n_features), of all photographs.
    """
    known = np.asarray(labels)
    order = sorted(set(labels))
    predictions = {each: Predictions() for each in asked}
    for fold in folds:
        spaces = FittedSpaces.of(features[fold.train], features[fold.test])
        for classifier, space in asked:
            train, test, n_components = spaces.vectors(space)
            into = predictions[classifier, space]
            into.rows.append(fold.test)
            into.n_components.append(n_components)
            if classifier is ClassifierName.NEAREST:
                nearest = KNeighborsClassifier(1, algorithm="brute").fit(train, known[fold.train])
                into.predicted.append(nearest.predict(test))
                continue
            logits = _logits(train, known[fold.train], test, order)
            into.logits.append(logits)
            into.predicted.append(np.asarray(order)[np.argmax(logits, axis=1)])
    return predictions


def _logits(
    train: NDArray[floating], labels: Labels, test: NDArray[floating], order: Sequence[str]
) -> NDArray[float64]:
    model = fit_logistic(train, labels.tolist())
    logits = np.full((len(test), len(order)), -np.inf)
    logits[:, [order.index(label) for label in model.labels]] = model.scores(test)
    return logits
