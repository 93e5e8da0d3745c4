"""The vectors that a classifier is given: some principal components, or all features."""

from dataclasses import dataclass

from numpy import float32, floating
from numpy.typing import NDArray

from spark_assets.pca.model import PCAModel, fit, project, smallest
from spark_assets.pca.statistics import PCAStatistics

Vectors = NDArray[floating]


@dataclass(frozen=True, slots=True)
class Space:
    """So many components, as many as hold a share of the variance, or (None) all features."""

    components: int | float | None

    def n_components(self, pca: PCAModel) -> int | None:
        """Return how many components of a PCA that keeps them all it is."""
        if self.components is None:
            return None
        if isinstance(self.components, int):
            return min(self.components, pca.n_components)
        return min(smallest(pca.explained_variance_ratio, self.components), pca.n_components)


ALL_FEATURES = Space(None)


@dataclass(frozen=True, slots=True, eq=False)
class FittedSpaces:
    """Photographs to fit on and to ask about, in every component that there is.

    The PCA is fitted on the first alone: what is asked about has no part in it.
    """

    pca: PCAModel
    train: Vectors
    test: Vectors
    train_features: Vectors
    test_features: Vectors

    @classmethod
    def of(cls, train: Vectors, test: Vectors) -> "FittedSpaces":
        """Fit a PCA on (n, n_features) vectors and project them and others.

        Raises FruitsError where they allow no PCA.
        """
        most = min(len(train) - 1, train.shape[1])
        pca = fit(PCAStatistics.from_features(train), most)
        return cls(pca, project(pca, train), project(pca, test), train, test)

    def vectors(self, space: Space) -> tuple[Vectors, Vectors, int | None]:
        """Return both in one space, and its components (None for all features)."""
        n = space.n_components(self.pca)
        if n is None:  # centered, which changes no distance and helps the regression
            mean = self.pca.mean.astype(float32)
            return self.train_features - mean, self.test_features - mean, None
        return self.train[:, :n], self.test[:, :n], n
