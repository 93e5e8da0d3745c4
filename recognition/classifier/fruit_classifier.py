"""The classifier of fruit: from features to a label, a probability and the nearest photographs."""

from dataclasses import dataclass

import numpy as np
from numpy import float64, floating
from numpy.typing import NDArray

from recognition.classifier.linear_classifier import LinearClassifier, probabilities
from recognition.classifier.reference_set import ReferenceSet
from recognition.classifier.unknown_detector import UnknownDetector
from recognition.classifier.variety_classifier import VarietyClassifier
from recognition.classifier.vectors import vectors_of_views
from spark_assets.pca.model import PCAModel, project

N_NEIGHBORS = 5


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A reference photograph beside a new one: the cosine of their vectors, at most 1."""

    path: str
    label: str
    similarity: float
    thumbnail: bytes | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """What is on a photograph.

    ``label`` is None, which means unknown, for a photograph that is not like known fruit;
    ``top_label`` is the label that would be the answer otherwise, with its probability.
    ``known_score`` is what the threshold of unknown is compared with.  ``point`` is its place in
    the plane of the first two components.  ``variety`` is one of the label's, with its probability,
    or None where none is probable enough.
    """

    label: str | None
    top_label: str
    probability: float
    known_score: float
    neighbors: list[Neighbor]
    point: tuple[float, float]
    variety: str | None = None
    variety_probability: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class FruitClassifier:
    """A classifier of vectors, and the plane of one PCA model that its photographs lie in.

    The logits of ``linear`` are divided by the temperature: their softmax is the probability.
    """

    pca: PCAModel
    linear: LinearClassifier
    unknown_detector: UnknownDetector
    reference: ReferenceSet
    varieties: VarietyClassifier | None = None

    def predict(self, plain: NDArray[floating], mirrored: NDArray[floating]) -> list[Prediction]:
        """Predict photographs by the features of them and of their mirror images.

        Both are (n, n_features).  Raises FruitsError for vectors of another length than the PCA
        model's.
        """
        points = plane(project(self.pca, plain))
        vectors = vectors_of_views(plain, mirrored)
        logits = self.linear.logits(vectors)
        known = self.unknown_detector.scores(vectors, logits)
        similarities = self.reference.similarities(vectors)
        shares = probabilities(logits)
        joint = np.zeros((len(shares), 0))
        if self.varieties is not None:
            joint = self.varieties.probabilities(vectors, shares, self.linear.labels)
        rows = zip(points, shares, joint, known, similarities, strict=True)
        return [self._prediction(*row) for row in rows]

    def _prediction(
        self,
        point: NDArray[floating],
        shares: NDArray[float64],
        joint: NDArray[float64],
        known_score: float64,
        similarities: NDArray[floating],
    ) -> Prediction:
        best = int(np.argmax(shares))
        nearest = np.argsort(-similarities, kind="stable")[:N_NEIGHBORS]
        is_known = bool(known_score >= self.unknown_detector.threshold)
        top_label = self.linear.labels[best]
        reference = self.reference
        variety = None
        if is_known and self.varieties is not None:
            variety = self.varieties.answer(top_label, joint)
        return Prediction(
            label=top_label if is_known else None,
            top_label=top_label,
            probability=float(shares[best]),
            known_score=float(known_score),
            neighbors=[
                Neighbor(
                    reference.paths[row],
                    reference.labels[row],
                    float(similarities[row]),
                    reference.thumbnails[row],
                )
                for row in nearest
            ],
            point=(float(point[0]), float(point[1])),
            variety=None if variety is None else variety.name,
            variety_probability=None if variety is None else variety.probability,
        )


def plane(reduced: NDArray[floating]) -> NDArray[floating]:
    """Return the first two of (n, n_components) coordinates, (n, 2); 0 for one that is missing."""
    points: NDArray[floating] = np.zeros((len(reduced), 2), reduced.dtype)
    points[:, : reduced.shape[1]] = reduced[:, :2]
    return points
