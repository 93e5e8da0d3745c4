"""Labeled photographs, and how they are to be evaluated."""

from collections.abc import Sequence, Set
from dataclasses import dataclass

from numpy import floating
from numpy.typing import NDArray

from spark_assets.features.feature_model import FeatureModelFacts


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPhotographs:
    """Features (n, n_features), and the label and the object of each."""

    features: NDArray[floating]
    labels: list[str]
    objects: list[str]

    @classmethod
    def of(
        cls,
        features: NDArray[floating],
        labels: Sequence[str | None],
        objects: Sequence[str],
        rows: Sequence[int],
    ) -> "LabeledPhotographs":
        """Return the photographs of ``rows``, which have labels."""
        chosen = [labels[row] for row in rows]
        return cls(
            features[rows],
            [label for label in chosen if label is not None],
            [objects[row] for row in rows],
        )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int]) -> "LabeledPhotographs":
        """Return some of them."""
        labels = [self.labels[row] for row in rows]
        return LabeledPhotographs(self.features[rows], labels, [self.objects[row] for row in rows])


@dataclass(frozen=True, slots=True)
class Asking:
    """How an evaluation is made.  ``components`` is what the PCA was asked to keep."""

    model_id: str
    facts: FeatureModelFacts
    components: int | float
    n_folds: int
    group_by: str | None
    n_unlabeled: int
    n_copies: int
    n_looked_at: int
    n_current: int


def labeled_rows(
    labels: Sequence[str | None], digests: Sequence[str], known: Set[str] = frozenset()
) -> tuple[list[int], int]:
    """Return the rows with a label whose content is in no earlier row and not ``known``.

    And how many were left out as copies: a photograph on both sides of a split is always right.
    """
    seen = set(known)
    rows: list[int] = []
    n_copies = 0
    for row, (label, digest) in enumerate(zip(labels, digests, strict=True)):
        if label is None:
            continue
        if digest in seen:
            n_copies += 1
            continue
        seen.add(digest)
        rows.append(row)
    return rows, n_copies
