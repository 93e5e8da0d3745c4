"""The PCA model: fitted to statistics, applied to features, stored as a table of one row."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy import float64, floating
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.parquet import numbers

_VECTOR = pa.list_(pa.float64())
_SCHEMA = pa.schema(
    [
        pa.field("mean", _VECTOR, nullable=False),
        pa.field("components", pa.list_(_VECTOR), nullable=False),
        pa.field("explained_variance", _VECTOR, nullable=False),
        pa.field("explained_variance_ratio", _VECTOR, nullable=False),
        pa.field("spectrum_ratio", _VECTOR, nullable=False),
        pa.field("n_samples", pa.int64(), nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class PCAModel:
    """Principal components of feature vectors; all arrays are float64.

    Attributes
    ----------
    mean : ndarray of shape (n_features,)
    components : ndarray of shape (n_components, n_features)
        Orthonormal rows, by decreasing explained variance.  The entry of largest magnitude in each
        is positive, as scikit-learn's ``svd_flip(u_based_decision=False)`` makes it.
    explained_variance : ndarray of shape (n_components,)
        Variance of the projection on each component, with ``n_samples - 1`` degrees of freedom.
    explained_variance_ratio : ndarray of shape (n_components,)
        The same as fractions of the total variance.
    spectrum_ratio : ndarray of shape (min(n_samples - 1, n_features),)
        The fractions of every component that exists, kept or not; they add up to 1.
    n_samples : int
        Feature vectors that the model was fitted on.
    """

    mean: NDArray[float64]
    components: NDArray[float64]
    explained_variance: NDArray[float64]
    explained_variance_ratio: NDArray[float64]
    spectrum_ratio: NDArray[float64]
    n_samples: int

    @property
    def n_components(self) -> int:
        """Number of components that were kept."""
        return len(self.components)

    @property
    def n_features(self) -> int:
        """Length of the feature vectors that it projects."""
        return len(self.mean)

    def to_table(self) -> pa.Table:
        """Return the model as a table of one row, named as the attributes."""
        values = pa.array(self.components.reshape(-1))
        starts = np.arange(self.n_components + 1, dtype=np.int32) * self.n_features
        rows = pa.ListArray.from_arrays(pa.array(starts), values)
        columns = [
            _one_list(pa.array(self.mean)),
            _one_list(rows),
            _one_list(pa.array(self.explained_variance)),
            _one_list(pa.array(self.explained_variance_ratio)),
            _one_list(pa.array(self.spectrum_ratio)),
            pa.array([self.n_samples], pa.int64()),
        ]
        return pa.Table.from_arrays(columns, schema=_SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Return the model of a table of ``to_table``.  Raises FruitsError on any other table."""
        try:
            row = table.select(_SCHEMA.names).cast(_SCHEMA).combine_chunks()
            vectors = [row.column(name).combine_chunks() for name in _SCHEMA.names[:5]]
            mean, components, variance, ratio, spectrum = (
                numbers(vector).astype(float64, copy=False) for vector in vectors
            )
            (n_samples,) = row.column("n_samples").to_pylist()
            components = components.reshape(len(variance), len(mean))
        except (KeyError, TypeError, ValueError) as error:  # as Arrow's own errors are
            raise FruitsError(
                f"a table with the columns {', '.join(table.column_names) or '(none)'} and "
                f"{table.num_rows} rows is not a PCA model; give one that fruits reduce has written"
            ) from error
        return cls(mean, components, variance, ratio, spectrum, n_samples)


def parse_n_components(text: str) -> int | float:
    """Return a count of components (int) or a share of variance to keep (float), as typed.

    Raises FruitsError unless it is a whole number of at least 1 or a fraction between 0 and 1.
    """
    try:
        value = int(text) if text.isdecimal() else float(text)
    except ValueError:
        value = float("nan")
    if not _is_allowed(value):
        raise _not_allowed(text)
    return value


def fit(statistics: PCAStatistics, n_components: int | float) -> PCAModel:
    """Fit a PCA: eigenvectors of the covariance, in float64.

    Parameters
    ----------
    statistics : PCAStatistics
        Of all feature vectors to fit on.
    n_components : int or float
        int: components to keep, at most ``min(n_samples - 1, n_features)``, the rank of centred
        vectors.  float in (0, 1): as few as explain at least that share of the variance.

    Raises
    ------
    FruitsError
        Where the statistics allow no PCA, or not that many components.
    """
    if not _is_allowed(n_components):
        raise _not_allowed(str(n_components))
    _refuse_unfit(statistics)
    n_samples, n_features = statistics.n_samples, statistics.n_features
    most = min(n_samples - 1, n_features)
    if isinstance(n_components, int) and n_components > most:
        raise FruitsError(
            f"--n-components {n_components} is more than the {most} components that {n_samples} "
            f"images with {n_features} features have; give at most {most}, or add images"
        )
    ascending, vectors = np.linalg.eigh(statistics.scatter / (n_samples - 1))
    # Directions without variance come out at rounding level on either side of 0.
    variance = np.maximum(ascending[::-1][:most], 0.0)
    ratio = variance / variance.sum()
    kept = n_components if isinstance(n_components, int) else smallest(ratio, n_components)
    components = _fix_signs(vectors.T[::-1][:kept])
    return PCAModel(statistics.mean, components, variance[:kept], ratio[:kept], ratio, n_samples)


def project(model: PCAModel, features: NDArray[floating[Any]]) -> NDArray[floating[Any]]:
    """Project centred feature vectors on the components.

    Parameters
    ----------
    features : ndarray of shape (n, n_features), float32 or float64

    Returns
    -------
    ndarray of shape (n, n_components), of the dtype of ``features``
        Computed in float64.

    Raises
    ------
    FruitsError
        If the vectors are not as long as those that the model was fitted on.
    """
    if features.shape[1] != model.n_features:
        raise FruitsError(
            f"the feature vectors hold {features.shape[1]} features, but the PCA model was fitted "
            f"on {model.n_features}; project with a model fitted on features of the same network"
        )
    # The mean is taken off the few projected columns instead of a copy of the features.
    projected = features @ model.components.T - model.components @ model.mean
    return projected.astype(features.dtype)


def _is_allowed(n_components: int | float) -> bool:
    return n_components >= 1 if isinstance(n_components, int) else 0.0 < n_components < 1.0


def _not_allowed(text: str) -> FruitsError:
    return FruitsError(
        f"{text!r} is not a number of components; give --n-components a whole number of at least "
        "1, or a share of variance between 0 and 1 such as 0.95"
    )


def _refuse_unfit(statistics: PCAStatistics) -> None:
    """Raise FruitsError where the feature vectors have no principal components."""
    n_samples, n_not_finite = statistics.n_samples, statistics.n_not_finite
    if n_not_finite:
        raise FruitsError(
            f"{n_not_finite} of {n_samples + n_not_finite} feature vectors hold NaN or infinity, "
            "and a PCA needs finite numbers; check the weights, then featurize again with "
            "--overwrite"
        )
    if n_samples < 2:
        got = "only 1 image" if n_samples else "no images"
        raise FruitsError(f"a PCA needs the features of at least 2 images, got {got}; add images")
    total_variance = float(np.trace(statistics.scatter)) / (n_samples - 1)
    # The resolution of float64 beside a mean of this size.
    rounding = np.finfo(float64).eps * float(np.linalg.norm(statistics.mean))
    if total_variance <= rounding**2:
        raise FruitsError(
            f"the features of all {n_samples} images are the same, and a PCA needs some that "
            "differ; add other images, or check the weights"
        )


def smallest(ratio: NDArray[float64], share: float) -> int:
    """Return how many components explain at least ``share`` of the variance."""
    # Sums of fractions are rounded: eight tenths are to be at least 0.8.
    rounding = len(ratio) * np.finfo(float64).eps
    return int(np.count_nonzero(np.cumsum(ratio) < share - rounding)) + 1


def _fix_signs(vectors: NDArray[float64]) -> NDArray[float64]:
    largest = np.argmax(np.abs(vectors), axis=1)
    signs = np.sign(vectors[np.arange(len(vectors)), largest])
    return np.ascontiguousarray(vectors * signs[:, np.newaxis])


def _one_list(values: pa.Array) -> pa.Array:
    """Return an array of one list that holds all the values."""
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), values)
