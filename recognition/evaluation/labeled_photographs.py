"""Labeled photographs, and how they are to be evaluated."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy import float32, intp
from numpy.typing import NDArray

from spark_assets.features.feature_model import FeatureModelFacts


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPhotographs:
    """Vectors (n, n_features) of unit length, with the label, object and variety of each.

    ``varieties`` is empty where none are named, and None for a photograph without one.
    """

    vectors: NDArray[float32]
    labels: list[str]
    objects: list[str]
    varieties: list[str | None] = field(default_factory=list)

    @classmethod
    def of(
        cls,
        vectors: NDArray[float32],
        labels: Sequence[str | None],
        objects: Sequence[str],
        rows: Sequence[int],
        varieties: Sequence[str | None] = (),
    ) -> "LabeledPhotographs":
        """Return the photographs of ``rows``, which have labels."""
        chosen = [labels[row] for row in rows]
        return cls(
            vectors[rows],
            [label for label in chosen if label is not None],
            [objects[row] for row in rows],
            [varieties[row] for row in rows] if varieties else [],
        )

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, rows: Sequence[int]) -> "LabeledPhotographs":
        """Return some of them."""
        if len(rows) == len(self):  # a copy of 200,000 vectors is 1 GB
            return self
        return LabeledPhotographs.of(self.vectors, self.labels, self.objects, rows, self.varieties)

    def coded(self) -> tuple[list[str], NDArray[intp]]:
        """Return the labels, sorted, and the number of each photograph's, (n,)."""
        names, codes = np.unique(np.asarray(self.labels), return_inverse=True)
        return names.tolist(), codes


@dataclass(frozen=True, slots=True)
class EvaluationSetup:
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
    variety_regex: str | None = None


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
