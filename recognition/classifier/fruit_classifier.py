"""The classifier of fruit: from features to a label, a probability and the nearest photographs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import floating
from numpy.typing import NDArray

from recognition.classifier.linear_classifier import LinearClassifier
from recognition.classifier.reference_set import ReferenceSet
from recognition.classifier.temperature import softmax
from recognition.classifier.unknown_detector import UnknownDetector
from recognition.classifier.variety_classifier import VarietyClassifier, VarietySet, select_variety
from recognition.classifier.vectors import vectors_of_views
from spark_assets.pca.model import PCAModel, project

N_NEIGHBORS = 5


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A reference photograph near a new one: the cosine of their vectors, at most 1."""

    path: str
    label: str
    similarity: float
    thumbnail: bytes | None


@dataclass(frozen=True, slots=True)
class Prediction:
    """The prediction for one photograph.

    Attributes
    ----------
    label : str or None
        None means unknown: ``known_score`` is below the threshold.
    top_label : str
        The most probable label, also where the photograph is unknown.
    probability : float
        Of ``top_label``.
    known_score : float
    neighbors : list of Neighbor
        By decreasing similarity.
    point : tuple of two floats
        In the plane of the first two components.
    variety, variety_probability
        None where no variety of the label is probable enough.
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
        scores = self.unknown_detector.scores(vectors, logits)
        similarities = self.reference.similarities(vectors)
        nearest = np.argsort(-similarities, axis=1, kind="stable")[:, :N_NEIGHBORS]
        probabilities = softmax(logits)
        known, joint, min_probability = VarietySet([], []), np.zeros((len(logits), 0)), 1.0
        if self.varieties is not None:
            known, min_probability = self.varieties.known, self.varieties.min_probability
            joint = self.varieties.probabilities(vectors, probabilities, self.linear.labels)
        return [
            build_prediction(
                self.linear.labels,
                probabilities[row],
                known_score=scores[row],
                unknown_threshold=self.unknown_detector.threshold,
                varieties=known,
                joint=joint[row],
                min_probability=min_probability,
                neighbors=self._neighbors(nearest[row], similarities[row]),
                point=points[row],
            )
            for row in range(len(logits))
        ]

    def _neighbors(
        self, rows: NDArray[np.intp], similarities: NDArray[floating]
    ) -> Iterator[Neighbor]:
        known = self.reference
        for row in rows:
            similarity = float(similarities[row])
            yield Neighbor(known.paths[row], known.labels[row], similarity, known.thumbnails[row])


def build_prediction(
    labels: Sequence[str],
    probabilities: NDArray[floating],
    *,
    known_score: float,
    unknown_threshold: float,
    varieties: VarietySet,
    joint: NDArray[floating],
    min_probability: float,
    neighbors: Iterator[Neighbor],
    point: NDArray[floating],
) -> Prediction:
    """Decide the label, or unknown, and the variety of one photograph.

    ``probabilities`` is (n_labels,), ``joint`` (n_varieties,), ``point`` (2,).
    """
    best = int(np.argmax(probabilities))
    is_known = bool(known_score >= unknown_threshold)
    variety = select_variety(varieties, joint, labels[best], min_probability) if is_known else None
    return Prediction(
        label=labels[best] if is_known else None,
        top_label=labels[best],
        probability=float(probabilities[best]),
        known_score=float(known_score),
        neighbors=list(neighbors),
        point=(float(point[0]), float(point[1])),
        variety=None if variety is None else variety.name,
        variety_probability=None if variety is None else variety.probability,
    )


def plane(reduced: NDArray[floating]) -> NDArray[floating]:
    """Return the first two of (n, n_components) coordinates, (n, 2); 0 for a missing one."""
    points: NDArray[floating] = np.zeros((len(reduced), 2), reduced.dtype)
    points[:, : reduced.shape[1]] = reduced[:, :2]
    return points
