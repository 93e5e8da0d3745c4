"""Objects and clusters of photographs, and the folds that keep each of them on one side."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import floating
from numpy.typing import NDArray
from sklearn.cluster import KMeans
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from spark_assets.errors import FruitsError
from spark_assets.images.labels import groups_of

_SEED = 0
# Leaving out clusters of about 12 similar photographs is about as hard as the next shop or the next
# variety: accuracy 0.79 on clusters left out and 0.78 on other shops, 0.85 and 0.82 on other
# varieties; on single photographs left out, 0.96 and 0.99.
_CLUSTER_SIZE = 12

Rows = NDArray[np.intp]


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Rows of the training and of the test part, which share none."""

    train: Rows
    test: Rows


def objects_of(
    paths: Sequence[str], labels: Sequence[str | None], group_by: str | None
) -> list[str]:
    """Return the name of the object on each photograph.

    ``group_by`` is searched in the path as ``--label-regex`` is.  Without a match, or where it is
    None, each photograph is another object.  Objects of two labels are two.

    Raises FruitsError for an invalid expression.
    """
    if group_by is None:
        return list(paths)
    names = groups_of(paths, group_by, "--group-by")
    return [
        path if name is None else f"{label}\n{name}"
        for path, label, name in zip(paths, labels, names, strict=True)
    ]


def labels_with_one_object(labels: Sequence[str], objects: Sequence[str]) -> list[str]:
    """Return the labels with a single object, sorted: training or test would lack them."""
    objects_by_label: dict[str, set[str]] = {}
    for label, name in zip(labels, objects, strict=True):
        objects_by_label.setdefault(label, set()).add(name)
    return sorted(label for label, names in objects_by_label.items() if len(names) < 2)


def clusters_of(vectors: NDArray[floating], labels: Sequence[str], n_folds: int) -> list[str]:
    """Return the name of each photograph's cluster: k-means within its label.

    ``vectors`` is (n, n_features).  Photographs from one shop or frames of one fruit are in one
    cluster; each label has at least ``n_folds`` of them where it has as many photographs.
    """
    label_array = np.asarray(labels)
    names = [""] * len(label_array)
    for label in np.unique(label_array):
        rows = np.flatnonzero(label_array == label)
        n_clusters = min(len(rows), max(n_folds, round(len(rows) / _CLUSTER_SIZE)))
        with warnings.catch_warnings():
            # Copies make fewer distinct points than clusters.
            warnings.filterwarnings("ignore", message="Number of distinct clusters")
            clusters = KMeans(n_clusters, n_init=1, random_state=_SEED).fit_predict(vectors[rows])
        for row, cluster in zip(rows, clusters, strict=True):
            names[row] = f"{label}\n{cluster}"
    return names


def folds_by_object(labels: Sequence[str], objects: Sequence[str], n_folds: int) -> list[Fold]:
    """Return folds in which no object, or cluster, is in training and in the test."""
    splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=_SEED)
    return _folds(splitter, labels, objects)


def folds_by_photograph(labels: Sequence[str], n_folds: int) -> list[Fold]:
    """Return folds of single photographs."""
    splitter = StratifiedKFold(n_folds, shuffle=True, random_state=_SEED)
    return _folds(splitter, labels, None)


def _folds(
    splitter: StratifiedKFold | StratifiedGroupKFold,
    labels: Sequence[str],
    objects: Sequence[str] | None,
) -> list[Fold]:
    with warnings.catch_warnings():
        # A label with fewer photographs than folds is in the test of some folds only.
        warnings.filterwarnings("ignore", message="The least populated class")
        try:
            rows = list(splitter.split(np.zeros(len(labels)), np.asarray(labels), objects))
        except ValueError as error:
            n = len(set(labels if objects is None else objects))
            raise FruitsError(
                f"{len(labels)} photographs of {n} objects cannot be divided into "
                f"{splitter.get_n_splits()} folds; give a smaller --folds, or add photographs"
            ) from error
    # A fold that holds all objects of all labels but one leaves nothing to fit on.
    label_array = np.asarray(labels)
    return [Fold(a, b) for a, b in rows if len(b) and len(set(label_array[a])) > 1]
