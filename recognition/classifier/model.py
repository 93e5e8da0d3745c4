"""The classifier of fruit: from features to a label, a probability and the nearest photographs."""

from dataclasses import dataclass

import numpy as np
from numpy import float64, floating
from numpy.typing import NDArray

from recognition.classifier.known import KnownPhotographs
from recognition.classifier.logistic import LogisticModel, probabilities
from spark_assets.pca.model import PCAModel, project

N_NEIGHBORS = 5


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A known photograph beside a new one: the cosine of their features, at most 1."""

    path: str
    label: str
    similarity: float
    thumbnail: bytes | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What is on a photograph.

    ``label`` is None, which means unknown, for a photograph that is far from all known ones;
    ``likeliest`` is the label that would be the answer otherwise, with its probability.  ``point``
    is its place in the plane of the first two components.
    """

    label: str | None
    likeliest: str
    probability: float
    neighbors: list[Neighbor]
    point: tuple[float, float]


@dataclass(frozen=True, slots=True, eq=False)
class FruitClassifier:
    """A classifier in the space of one PCA model.

    ``similarity_floor`` is the cosine to the nearest known photograph below which the answer is
    unknown.
    """

    pca: PCAModel
    logistic: LogisticModel
    known: KnownPhotographs
    similarity_floor: float

    def answer(self, features: NDArray[floating]) -> list[Answer]:
        """Answer for each of (n, n_features) feature vectors.

        Raises FruitsError for vectors of another length than the PCA model's.
        """
        reduced = project(self.pca, features)
        shares = probabilities(self.logistic.scores(reduced))
        similarities = self.known.similarities(features)
        rows = zip(reduced, shares, similarities, strict=True)
        return [self._answer(*row) for row in rows]

    def _answer(
        self,
        reduced: NDArray[floating],
        shares: NDArray[float64],
        similarities: NDArray[floating],
    ) -> Answer:
        best = int(np.argmax(shares))
        nearest = np.argsort(-similarities, kind="stable")[:N_NEIGHBORS]
        is_known = bool(similarities[nearest[0]] >= self.similarity_floor)
        likeliest = self.logistic.labels[best]
        known = self.known
        x, y = plane(reduced[np.newaxis])[0]
        return Answer(
            label=likeliest if is_known else None,
            likeliest=likeliest,
            probability=float(shares[best]),
            neighbors=[
                Neighbor(
                    known.paths[row],
                    known.labels[row],
                    float(similarities[row]),
                    known.thumbnails[row],
                )
                for row in nearest
            ],
            point=(float(x), float(y)),
        )


def plane(reduced: NDArray[floating]) -> NDArray[floating]:
    """Return the first two of (n, n_components) coordinates, (n, 2); 0 for one that is missing."""
    points: NDArray[floating] = np.zeros((len(reduced), 2), reduced.dtype)
    points[:, : reduced.shape[1]] = reduced[:, :2]
    return points
