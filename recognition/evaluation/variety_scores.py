"""The evaluation of varieties, in the folds of the labels or on their test set."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float64, intp
from numpy.typing import NDArray

from recognition.classifier.ridge import Setting
from recognition.classifier.temperature import cross_fitted_temperatures, finite, fit_temperature
from recognition.classifier.variety_classifier import (
    MIN_PROBABILITY,
    VarietySet,
    coded_varieties,
    joint_probabilities,
    most_probable,
)
from recognition.evaluation.cluster_folds import Fold
from recognition.evaluation.fold_predictions import FittedFolds, codes_of
from recognition.evaluation.labeled_photographs import LabeledPhotographs
from recognition.evaluation.metrics import accuracy_interval, balanced_accuracy
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import VarietyScores


@dataclass(frozen=True, slots=True, eq=False)
class VarietyPredictions:
    """Out-of-fold logits of varieties, fold after fold, of n_tested photographs.

    Attributes
    ----------
    known : VarietySet
    logits : ndarray of shape (n_tested, n_varieties), float64
        Minus infinity for a variety that is not in the fold's training part.
    truth : ndarray of shape (n_tested,)
        The number of the variety; -1 for a photograph without one, and where the training part
        lacks that variety or another one of the label: it cannot be predicted then.
    sizes : list of int
        Of the folds.
    labels, objects : list of str
        Of each tested photograph.
    n_left_out : int
        Photographs with a variety whose ``truth`` is -1.
    """

    known: VarietySet
    logits: NDArray[float64]
    truth: NDArray[intp]
    sizes: list[int]
    labels: list[str]
    objects: list[str]
    n_left_out: int

    @classmethod
    def of(
        cls, photographs: LabeledPhotographs, folds: Sequence[Fold], setting: Setting
    ) -> "VarietyPredictions":
        """Fit on the training part of each fold, and predict the test part.

        Raises FruitsError where no label has two varieties.
        """
        known, codes = coded_varieties(photographs.labels, photographs.varieties)
        if not len(known):
            raise FruitsError(
                "no label has photographs of two varieties; give --variety-regex an expression "
                "whose first group names the variety in a path, such as '^[^/]+/([^/]+)/'"
            )
        logits = np.concatenate(_logits(photographs, codes, folds, setting, len(known)))
        rows = np.concatenate([fold.test for fold in folds])
        labels = np.asarray(known.labels)
        same = (labels[:, np.newaxis] == labels).astype(int)
        n_seen = np.isfinite(logits).astype(int) @ same
        tested = codes[rows]
        is_seen = np.isfinite(logits[np.arange(len(rows)), tested])
        can_be_right = (tested >= 0) & is_seen & (n_seen[np.arange(len(rows)), tested] >= 2)
        return cls(
            known,
            logits,
            np.where(can_be_right, tested, -1),
            [len(fold.test) for fold in folds],
            [photographs.labels[row] for row in rows],
            [photographs.objects[row] for row in rows],
            int(np.sum((tested >= 0) & ~can_be_right)),
        )

    def temperature(self, predicted: NDArray[np.str_]) -> float:
        """Return the temperature of photographs whose ``predicted`` label, (n_tested,), is right.

        Raises FruitsError where there is none.
        """
        usable = self._usable(predicted)
        return fit_temperature(self._within_label(usable), self.truth[usable])

    def cross_fitted_temperatures(self, predicted: NDArray[np.str_]) -> NDArray[float64]:
        """Return for each photograph the temperature of the other folds, (n_tested,)."""
        parts = np.split(self._usable(predicted), np.cumsum(self.sizes)[:-1])
        starts = np.cumsum([0, *self.sizes[:-1]])
        rows = [start + np.flatnonzero(part) for start, part in zip(starts, parts, strict=True)]
        temperatures = cross_fitted_temperatures(
            [self._within_label(each) for each in rows], [self.truth[each] for each in rows]
        )
        return np.repeat(temperatures, self.sizes)

    def scores(
        self,
        labels: Sequence[str],
        probabilities: NDArray[float64],
        temperatures: NDArray[float64],
        variety_regex: str,
    ) -> VarietyScores:
        """Score the varieties of the predicted labels.

        A variety that is predicted for a photograph of a label without varieties is an error.

        Parameters
        ----------
        labels : sequence of n_labels str
        probabilities : ndarray of shape (n_tested, n_labels)
        temperatures : ndarray of shape (n_tested,)
        variety_regex : str
            For the record.

        Raises
        ------
        FruitsError
            Where no photograph has a variety that can be predicted.
        """
        is_tested = self.truth >= 0
        if not is_tested.any():
            raise FruitsError(
                f"none of the {len(self.labels)} test photographs has a variety of the output; "
                "give --test-images a folder with the same folders in it"
            )
        predicted = probabilities.argmax(axis=1)
        label_codes = self.known.label_codes(labels)
        tempered = finite(self.logits) / temperatures[:, np.newaxis]
        joint = joint_probabilities(tempered, probabilities, label_codes)
        candidates = (label_codes == predicted[:, np.newaxis]) & np.isfinite(self.logits)
        best, probability = most_probable(joint, candidates)
        is_right = (best == self.truth) & is_tested
        is_answered = (best >= 0) & (probability >= MIN_PROBABILITY)
        is_scored = is_answered & (is_tested | ~np.isin(self.labels, self.known.labels))
        objects = [self.objects[row] for row in np.flatnonzero(is_tested)]
        accuracy, low, high = accuracy_interval(is_right[is_tested], objects)
        return VarietyScores(
            variety_regex=variety_regex,
            n_varieties=int(np.isfinite(self.logits).any(axis=0).sum()),
            n_tested=int(is_tested.sum()),
            n_left_out=self.n_left_out,
            accuracy=accuracy,
            low=low,
            high=high,
            balanced_accuracy=balanced_accuracy(self.truth[is_tested], best[is_tested])[0],
            min_probability=MIN_PROBABILITY,
            share_answered=float(np.mean(is_answered[is_tested])),
            accuracy_answered=float(np.mean(is_right[is_scored])) if is_scored.any() else None,
        )

    def _usable(self, predicted: NDArray[np.str_]) -> NDArray[np.bool_]:
        usable: NDArray[np.bool_] = (self.truth >= 0) & (predicted == np.asarray(self.labels))
        if not usable.any():
            raise FruitsError(
                f"the variety of none of {len(self.labels)} photographs can be evaluated: the "
                "predicted label is wrong, or the training part has fewer than two varieties of "
                "the label; give another --group-by, or leave out --variety-regex"
            )
        return usable

    def _within_label(self, rows: NDArray[np.bool_] | NDArray[intp]) -> NDArray[float64]:
        """Return the logits of photographs, minus infinity for varieties of other labels."""
        labels = np.asarray(self.known.labels)
        same = labels[self.truth[rows]][:, np.newaxis] == labels
        return np.where(same, self.logits[rows], -np.inf)


def _logits(
    photographs: LabeledPhotographs,
    codes: NDArray[intp],
    folds: Sequence[Fold],
    setting: Setting,
    n_varieties: int,
) -> list[NDArray[float64]]:
    """Return the logits of the test part of each fold, (n, n_varieties)."""
    rows = np.flatnonzero(codes >= 0)
    place = np.cumsum(codes >= 0) - 1
    within = [Fold(*(place[part[codes[part] >= 0]] for part in (f.train, f.test))) for f in folds]
    can_fit = [len(set(codes[rows[fold.train]])) >= 2 for fold in within]
    fitted = FittedFolds.of(
        photographs.take(rows.tolist()).vectors,
        codes[rows],
        [fold for fold, can in zip(within, can_fit, strict=True) if can],
    )
    fits = iter(fitted.fits)
    parts = []
    for fold, can in zip(folds, can_fit, strict=True):
        logits = np.full((len(fold.test), n_varieties), -np.inf)
        if can:
            fit = next(fits)
            logits[:, codes_of(fit)] = fit.classifier(setting).logits(
                photographs.vectors[fold.test]
            )
        parts.append(logits)
    return parts
