"""Statistics of features for a PCA: number, mean and scatter, which merge exactly."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
from numpy import float64, floating
from numpy.typing import NDArray

from spark_assets.errors import FruitsError

_VECTOR = pa.list_(pa.float64())
_SCHEMA = pa.schema(
    [
        pa.field("n_samples", pa.int64(), nullable=False),
        pa.field("mean", _VECTOR, nullable=False),
        pa.field("scatter_triangle", _VECTOR, nullable=False),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class PCAStatistics:
    """Number, mean and centred scatter of feature vectors.

    Attributes
    ----------
    n_samples : int
        Feature vectors in the sums.
    mean : ndarray of shape (n_features,), float64
        Their mean; zeros where there are none.
    scatter : ndarray of shape (n_features, n_features), float64
        Sum of the outer products of the centred vectors: ``n_samples - 1`` times the covariance.
    n_not_finite : int
        Feature vectors with NaN, infinity or null: counted, never in the sums.
    """

    n_samples: int
    mean: NDArray[float64]
    scatter: NDArray[float64]
    n_not_finite: int = 0

    @property
    def n_features(self) -> int:
        """Length of a feature vector; 0 where none was seen."""
        return len(self.mean)

    @classmethod
    def empty(cls, *, n_not_finite: int = 0) -> Self:
        """Return the statistics of no finite feature vector, the identity of ``merge``."""
        return cls(0, np.zeros(0), np.zeros((0, 0)), n_not_finite)

    @classmethod
    def from_features(cls, *parts: NDArray[floating[Any]]) -> Self:
        """Compute the statistics of one block of features, in one part or several.

        Two passes in float64, after moving the origin to the first vector: a large mean costs no
        digits, and identical vectors have a scatter of exactly 0.

        Parameters
        ----------
        parts : ndarray of shape (n_samples, n_features), float32 or float64
            Not changed.  One float64 copy is made, so pass a large table block by block.
        """
        n_rows = sum(map(len, parts))
        if n_rows == 0:
            return cls.empty()
        centred = np.concatenate(parts, dtype=float64)
        origin = centred[0].copy()
        with np.errstate(invalid="ignore"):  # infinities are counted below
            centred -= origin
            shift = centred.mean(axis=0)
        # One value that is not finite makes the mean not finite: no need to test all values.
        if not np.isfinite(shift).all():
            finite = [part[np.isfinite(part).all(axis=1)] for part in parts]
            n_not_finite = n_rows - sum(map(len, finite))
            return cls.from_features(*finite).merge(cls.empty(n_not_finite=n_not_finite))
        centred -= shift
        # numpy sees the same array twice and calls BLAS syrk: half the work of gemm.
        return cls(n_rows, origin + shift, centred.T @ centred)

    def merge(self, other: Self) -> Self:
        """Return the statistics of the feature vectors of both.

        Raises
        ------
        FruitsError
            If both have feature vectors, but of different lengths.

        References
        ----------
        Chan, Golub, LeVeque, "Algorithms for computing the sample variance: analysis and
        recommendations", The American Statistician 37 (1983), doi:10.1080/00031305.1983.10483115;
        first in Stanford report STAN-CS-79-773 (1979).
        """
        n_not_finite = self.n_not_finite + other.n_not_finite
        if self.n_samples == 0 or other.n_samples == 0:
            some = self if other.n_samples == 0 else other
            return type(self)(some.n_samples, some.mean, some.scatter, n_not_finite)
        if self.n_features != other.n_features:
            raise mixed_lengths(self.n_features, other.n_features)
        n_samples = self.n_samples + other.n_samples
        between = other.mean - self.mean
        mean = self.mean + between * (other.n_samples / n_samples)
        scatter = np.outer(between, between)
        # In place: at 1280 features each further temporary array is 13 MB.
        scatter *= self.n_samples * (other.n_samples / n_samples)
        scatter += self.scatter
        scatter += other.scatter
        return type(self)(n_samples, mean, scatter, n_not_finite)

    def __reduce__(self) -> tuple[Any, ...]:
        # Half of the scatter is sent between processes: 6.6 MB at 1280 features.
        return _unpacked, (self.n_samples, self.mean, _triangle(self.scatter), self.n_not_finite)

    def to_table(self) -> pa.Table:
        """Return the statistics of finite vectors as a table of one row.

        ``scatter_triangle`` is the lower triangle of the scatter, row by row.
        """
        columns = [[self.n_samples], [self.mean], [_triangle(self.scatter)]]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, _SCHEMA, strict=True)]
        return pa.Table.from_arrays(arrays, schema=_SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Return the statistics of a table of ``to_table``.  Raises FruitsError on any other."""
        try:
            row = table.select(_SCHEMA.names).cast(_SCHEMA).combine_chunks()
            (n_samples,) = row.column("n_samples").to_pylist()
            mean, triangle = (
                row.column(name).chunk(0).flatten().to_numpy() for name in _SCHEMA.names[1:]
            )
            return cls(n_samples, mean, _symmetric(triangle, len(mean)))
        except (KeyError, ValueError) as error:  # ArrowInvalid is a ValueError
            raise FruitsError(
                f"a table with the columns {', '.join(table.column_names) or '(none)'} does not "
                "hold the statistics of a PCA; fit anew with: fruits reduce --refit"
            ) from error


def _unpacked(
    n_samples: int, mean: NDArray[float64], triangle: NDArray[float64], n_not_finite: int
) -> PCAStatistics:
    return PCAStatistics(n_samples, mean, _symmetric(triangle, len(mean)), n_not_finite)


def _triangle(scatter: NDArray[float64]) -> NDArray[float64]:
    """Return the lower triangle of a symmetric matrix, row by row."""
    triangle: NDArray[float64] = scatter[np.tri(len(scatter), dtype=bool)]
    return triangle


def _symmetric(triangle: NDArray[float64], n_features: int) -> NDArray[float64]:
    scatter = np.empty((n_features, n_features))
    lower = np.tri(n_features, dtype=bool)
    scatter[lower] = triangle
    scatter.T[lower] = triangle
    return scatter


def mixed_lengths(one: int, other: int) -> FruitsError:
    """Return the refusal of feature vectors that differ in length."""
    return FruitsError(
        f"the features table mixes vectors of {one} and {other} features, but a PCA needs one "
        "length; featurize all images with the same model"
    )
