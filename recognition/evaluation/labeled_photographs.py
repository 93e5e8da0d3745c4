"""Labeled photographs, and the setup of their evaluation."""

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import numpy as np
from numpy import float32, intp
from numpy.typing import NDArray

from spark_assets.features.feature_model import FeatureModelFacts


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPhotographs:
    """Photographs with labels, one element of each attribute for each.

    Attributes
    ----------
    vectors : ndarray of shape (n, n_features), float32
        Of unit length.
    labels, objects : list of str
    varieties : list of str or None
        None for a photograph without one; empty without ``--variety-regex``.
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
        """Return the photographs of ``rows``, all of which have labels."""
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
        """Return the photographs of ``rows``."""
        if len(rows) == len(self):  # a copy of 200,000 vectors is 1 GB
            return self
        return LabeledPhotographs.of(self.vectors, self.labels, self.objects, rows, self.varieties)

    def coded(self) -> tuple[list[str], NDArray[intp]]:
        """Return the labels, sorted, and the number of each photograph's, (n,)."""
        names, codes = np.unique(np.asarray(self.labels), return_inverse=True)
        return names.tolist(), codes


@dataclass(frozen=True, slots=True)
class EvaluationSetup:
    """The options and counts of an evaluation; ``components`` is the PCA's ``--n-components``."""

    model_id: str
    facts: FeatureModelFacts
    components: int | float
    n_folds: int
    group_by: str | None
    n_unlabeled: int
    n_copies: int
    n_sampled: int
    n_current: int
    variety_regex: str | None = None


def labeled_rows(
    labels: Sequence[str | None], digests: Sequence[str], known: Set[str] = frozenset()
) -> tuple[list[int], int]:
    """Return the rows to use, and the number of copies that are left out.

    A row is used where it has a label, and its digest is in no earlier row and not in ``known``: a
    photograph in training and test would always be right.
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
