"""A linear classifier of vectors."""

from collections.abc import Sequence
from dataclasses import dataclass

from numpy import float64, floating
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class LinearClassifier:
    """A score for each label, linear in the vector.

    Attributes
    ----------
    labels : sequence of str
        Sorted, n_labels of them.
    coefficients : ndarray of shape (n_labels, n_features), float64
    intercepts : ndarray of shape (n_labels,), float64
    """

    labels: Sequence[str]
    coefficients: NDArray[float64]
    intercepts: NDArray[float64]

    def logits(self, vectors: NDArray[floating]) -> NDArray[float64]:
        """Return the scores of (n, n_features) vectors, (n, n_labels)."""
        logits: NDArray[float64] = vectors.astype(float64) @ self.coefficients.T + self.intercepts
        return logits

    def tempered(self, temperature: float) -> "LinearClassifier":
        """Return the classifier whose scores are divided by a temperature."""
        return LinearClassifier(
            self.labels, self.coefficients / temperature, self.intercepts / temperature
        )
