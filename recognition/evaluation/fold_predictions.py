"""Out-of-fold predictions of ridge classifiers and nearest neighbors, for every setting."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np
from numpy import float32, float64, intp
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

from recognition.classifier.ridge import ClassSums, RidgeFit, Setting, balanced_weights
from recognition.classifier.unknown_detector import N_AXES, distances
from recognition.evaluation.cluster_folds import Fold, Rows

PENALTIES = (0.03, 0.1, 0.3, 1.0, 3.0)
N_NEIGHBORS = (1, 3, 5, 9, 15)
# Distances grow with the square of the number: of more photographs, a random sample.
MAX_FOR_NEIGHBORS = 5_000
_SEED = 0

Components = int | float | None
Found = TypeVar("Found")


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """The predicted labels of one setting.

    Attributes
    ----------
    rows : ndarray of shape (n,)
        Of the photographs.
    codes : ndarray of shape (n,)
        Numbers of the predicted labels.
    n_components : int or None
        Median over the folds, None for all features.
    """

    rows: Rows
    codes: NDArray[intp]
    n_components: int | None


@dataclass(frozen=True, slots=True, eq=False)
class FittedFolds:
    """Ridge fits on the training part of each fold, to predict the test part in any setting.

    The principal axes are those of the training part alone.  Predictions are kept: the settings
    that are scored have been predicted for the choice among all.

    Attributes
    ----------
    vectors : ndarray of shape (n, n_features), float32
        Of unit length.
    codes : ndarray of shape (n,)
        Numbers of the labels.
    folds, fits
    """

    vectors: NDArray[float32]
    codes: NDArray[intp]
    folds: Sequence[Fold]
    fits: Sequence[RidgeFit]
    _ridge: dict[Setting, Predictions] = field(init=False, default_factory=dict)
    _nearest: dict[Components, dict[int, Predictions]] = field(init=False, default_factory=dict)

    @classmethod
    def of(
        cls, vectors: NDArray[float32], codes: NDArray[intp], folds: Sequence[Fold]
    ) -> "FittedFolds":
        """Fit on the training parts."""
        names = [str(code) for code in range(int(codes.max()) + 1)]
        sums = _training_sums(vectors, codes, folds, len(names))
        with ThreadPoolExecutor(os.cpu_count()) as pool:  # LAPACK works without Python's lock
            fits = list(pool.map(lambda each: RidgeFit.of(each, names), sums))
        return cls(vectors, codes, folds, fits)

    @property
    def rows(self) -> Rows:
        """Return the rows of the test parts, fold after fold, (n_tested,)."""
        return np.concatenate([fold.test for fold in self.folds])

    def ridge(self, settings: Iterable[Setting]) -> dict[Setting, Predictions]:
        """Return the predictions of ridge classifiers."""
        settings = list(settings)
        missing = [setting for setting in settings if setting not in self._ridge]

        def codes_of_fold(fold: Fold, fit: RidgeFit) -> list[NDArray[intp]]:
            projected, seen = fit.project(self.vectors[fold.test]), codes_of(fit)
            return [seen[fit.logits(projected, each).argmax(axis=1)] for each in missing]

        by_fold = self._in_threads(codes_of_fold) if missing else []
        for n, setting in enumerate(missing):
            codes = np.concatenate([found[n] for found in by_fold])
            n_components = self._n_components(setting.components)
            self._ridge[setting] = Predictions(self.rows, codes, n_components)
        return {setting: self._ridge[setting] for setting in settings}

    def logits(self, setting: Setting) -> list[NDArray[float64]]:
        """Return the logits of a setting, for each fold (n_tested, n_labels).

        Minus infinity for a label that is not in the training part.
        """
        parts = []
        for fold, fit in self._fitted:
            logits = np.full((len(fold.test), int(self.codes.max()) + 1), -np.inf)
            logits[:, codes_of(fit)] = fit.classifier(setting).logits(self.vectors[fold.test])
            parts.append(logits)
        return parts

    def by_fold(self, values: NDArray[Any]) -> list[NDArray[Any]]:
        """Return values of all tested photographs, (n_tested, ...), split by fold."""
        return np.split(values, np.cumsum([len(fold.test) for fold in self.folds])[:-1])

    def distances(self) -> NDArray[float64]:
        """Return the distances of the photographs from the subspace of training, (n_tested,)."""
        parts = [
            distances(self.vectors[fold.test], fit.mean.astype(float32), fit.subspace(N_AXES))
            for fold, fit in self._fitted
        ]
        return np.concatenate(parts)

    def nearest(self, components: Components) -> dict[int, Predictions]:
        """Return the predictions of nearest neighbors, for each number of them.

        Of more than `MAX_FOR_NEIGHBORS` photographs, a random sample takes part.
        """
        if components in self._nearest:
            return self._nearest[components]
        drawn = _drawn(len(self.codes))

        def codes_of_fold(fold: Fold, fit: RidgeFit) -> tuple[Rows, NDArray[intp]]:
            train, test = fold.train[drawn[fold.train]], fold.test[drawn[fold.test]]
            n_axes = fit.n_axes(components)
            search = NearestNeighbors(
                n_neighbors=min(max(N_NEIGHBORS), len(train)), algorithm="brute"
            ).fit(fit.project(self.vectors[train], n_axes))
            projected = fit.project(self.vectors[test], n_axes)
            return test, self.codes[train][search.kneighbors(projected, return_distance=False)]

        by_fold = self._in_threads(codes_of_fold)
        rows = np.concatenate([test for test, _ in by_fold])
        n_components = self._n_components(components)
        self._nearest[components] = {
            k: Predictions(
                rows,
                np.concatenate([_majority(codes[:, :k]) for _, codes in by_fold]),
                n_components,
            )
            for k in N_NEIGHBORS
        }
        return self._nearest[components]

    def _in_threads(self, work: Callable[[Fold, RidgeFit], Found]) -> list[Found]:
        """Return the results of the folds in order: BLAS works without Python's lock."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(pool.map(work, self.folds, self.fits))

    @property
    def _fitted(self) -> Iterator[tuple[Fold, RidgeFit]]:
        return zip(self.folds, self.fits, strict=True)

    def _n_components(self, components: Components) -> int | None:
        counts = [fit.n_axes(components) for fit in self.fits]
        known = [n for n in counts if n is not None]
        return round(float(np.median(known))) if known else None


def codes_of(fit: RidgeFit) -> NDArray[intp]:
    """Return the numbers of the labels that a fit of `FittedFolds` has seen."""
    return np.array([int(name) for name in fit.labels], intp)


def _training_sums(
    vectors: NDArray[float32], codes: NDArray[intp], folds: Sequence[Fold], n_labels: int
) -> Iterator[ClassSums]:
    """Yield the sums over each training part: those over all, less those over the test part."""
    if len(folds) == 1:
        weights = balanced_weights(codes[folds[0].train], n_labels)
        yield ClassSums.of(vectors, codes, weights, folds[0].train)
        return
    weights = balanced_weights(codes, n_labels)
    everything = ClassSums.of(vectors, codes, weights, np.arange(len(codes)))
    for fold in folds:
        yield everything - ClassSums.of(vectors, codes, weights, fold.test)


def _drawn(n: int) -> NDArray[np.bool_]:
    """Return which photographs take part in nearest neighbors, (n,)."""
    drawn = np.zeros(n, bool)
    drawn[np.random.default_rng(_SEED).permutation(n)[:MAX_FOR_NEIGHBORS]] = True
    return drawn


def _majority(codes: NDArray[intp]) -> NDArray[intp]:
    """Return the most frequent code of each row of (n, k), (n,); of several, the nearest one."""
    counts = (codes[:, :, np.newaxis] == codes[:, np.newaxis, :]).sum(axis=2)
    winners: NDArray[intp] = np.take_along_axis(codes, counts.argmax(axis=1)[:, np.newaxis], 1)
    return winners[:, 0]
