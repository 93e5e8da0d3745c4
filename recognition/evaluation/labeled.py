"""Labeled photographs, and how they are to be evaluated."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy import floating
from numpy.typing import NDArray

from recognition.current import CurrentPhotographs
from spark_assets.features.feature_model import FeatureModelFacts


@dataclass(frozen=True, slots=True, eq=False)
class LabeledPhotographs:
    """Features (n, n_features), and the label and the object of each."""

    features: NDArray[floating]
    labels: list[str]
    objects: list[str]

    @classmethod
    def of(cls, photographs: CurrentPhotographs, objects: Sequence[str]) -> "LabeledPhotographs":
        """Return those of current photographs that have a label."""
        rows = [row for row, label in enumerate(photographs.labels) if label is not None]
        labels = [label for label in photographs.labels if label is not None]
        return cls(photographs.features[rows], labels, [objects[row] for row in rows])

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
    n_current: int
