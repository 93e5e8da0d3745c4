"""Varieties within labels: a second linear classifier, restricted to the predicted label."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import float64, floating, intp
from numpy.typing import NDArray

from recognition.classifier.linear_classifier import LinearClassifier
from recognition.classifier.temperature import softmax

# Below this probability, the label alone is predicted.
MIN_PROBABILITY = 0.8


@dataclass(frozen=True, slots=True)
class Variety:
    """A variety and its probability, at most that of its label."""

    name: str
    probability: float


@dataclass(frozen=True, slots=True)
class VarietySet:
    """The varieties of labels that have two or more: label and name of each, sorted."""

    labels: list[str]
    names: list[str]

    def __len__(self) -> int:
        return len(self.names)

    def label_codes(self, labels: Sequence[str]) -> NDArray[intp]:
        """Return the number in ``labels`` of each variety's label, (n_varieties,); -1 for none."""
        numbers = {label: number for number, label in enumerate(labels)}
        return np.array([numbers.get(label, -1) for label in self.labels], intp)


def coded_varieties(
    labels: Sequence[str], varieties: Sequence[str | None]
) -> tuple[VarietySet, NDArray[intp]]:
    """Return the varieties that photographs show, and the number of each photograph's, (n,).

    The number is -1 for a photograph without a variety, and where its label has no other one.
    """
    shown = sorted({(a, b) for a, b in zip(labels, varieties, strict=True) if b is not None})
    n_of_label = Counter(label for label, _ in shown)
    kept = [(label, name) for label, name in shown if n_of_label[label] >= 2]
    numbers: dict[tuple[str, str | None], int] = {pair: n for n, pair in enumerate(kept)}
    codes = [numbers.get(pair, -1) for pair in zip(labels, varieties, strict=True)]
    return VarietySet([a for a, _ in kept], [b for _, b in kept]), np.array(codes, intp)


def joint_probabilities(
    logits: NDArray[float64], probabilities: NDArray[float64], label_codes: NDArray[intp]
) -> NDArray[float64]:
    """Return P(label) x P(variety | label), (n, n_varieties).

    Parameters
    ----------
    logits : ndarray of shape (n, n_varieties)
        At the temperature of varieties.
    probabilities : ndarray of shape (n, n_labels)
        Of the labels.
    label_codes : ndarray of shape (n_varieties,)
        The column in ``probabilities`` of each variety's label; -1 for none, which gives 0.
    """
    joint = np.zeros_like(logits)
    for label in np.unique(label_codes[label_codes >= 0]):
        columns = np.flatnonzero(label_codes == label)
        joint[:, columns] = probabilities[:, [label]] * softmax(logits[:, columns])
    return joint


def most_probable(
    joint: NDArray[floating], candidates: NDArray[np.bool_]
) -> tuple[NDArray[intp], NDArray[floating]]:
    """Return the most probable candidate of each row, (n,), and its probability, (n,).

    Both arguments are (n, n_varieties).  -1 and 0 for a row with fewer than two candidates.
    """
    has_any = candidates.sum(axis=1) >= 2
    among = np.where(candidates & has_any[:, np.newaxis], joint, -1.0)
    best = among.argmax(axis=1)
    return np.where(has_any, best, -1), np.where(has_any, among.max(axis=1), 0.0)


def select_variety(
    known: VarietySet, joint: NDArray[floating], label: str, min_probability: float
) -> Variety | None:
    """Return the most probable variety of a label by ``joint``, (n_varieties,).

    None where the label has fewer than two, or the probability is below ``min_probability``.
    """
    rows = [row for row, each in enumerate(known.labels) if each == label]
    if len(rows) < 2:
        return None
    best = max(rows, key=lambda row: joint[row])
    probability = float(joint[best])
    return Variety(known.names[best], probability) if probability >= min_probability else None


@dataclass(frozen=True, slots=True, eq=False)
class VarietyClassifier:
    """A score for each variety, linear in the vector, divided by the temperature of varieties.

    The labels of ``linear`` are the names of the varieties, in the order of ``known``.  A variety
    is predicted from ``min_probability`` on.
    """

    known: VarietySet
    linear: LinearClassifier
    min_probability: float = MIN_PROBABILITY

    def probabilities(
        self,
        vectors: NDArray[floating],
        label_probabilities: NDArray[float64],
        labels: Sequence[str],
    ) -> NDArray[float64]:
        """Return P(label) x P(variety | label) for (n, n_features) vectors, (n, n_varieties).

        ``label_probabilities`` (n, n_labels) are those of ``labels``.
        """
        logits = self.linear.logits(vectors)
        return joint_probabilities(logits, label_probabilities, self.known.label_codes(labels))
