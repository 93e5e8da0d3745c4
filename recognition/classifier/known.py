"""The known photographs: what a new one is compared with, and how far is too far."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy import float16, float32, floating
from numpy.typing import NDArray

from spark_assets.pca.sample import path_hash
from spark_assets.storage.parquet import numbers

_BLOCK_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class KnownPhotographs:
    """Photographs whose label is known, one element of each attribute for each.

    Attributes
    ----------
    paths, labels : list of str
    directions : ndarray of shape (n, n_features), float32
        Features divided by their length, with the precision of float16, in which they are kept.
    points : ndarray of shape (n, 2), float32
        Where they lie in the plane of the first two components; 0 for one that is not kept.
    thumbnails : list of bytes or None
        Small JPEGs without metadata, None where there is none.
    """

    paths: list[str]
    labels: list[str]
    directions: NDArray[float32]
    points: NDArray[float32]
    thumbnails: list[bytes | None]

    def __len__(self) -> int:
        return len(self.paths)

    def similarities(self, features: NDArray[floating]) -> NDArray[float32]:
        """Return the cosine of (m, n_features) features to each photograph, (m, n)."""
        return directions_of(features) @ self.directions.T

    def to_table(self) -> pa.Table:
        """Return a table of a row for each photograph."""
        return pa.table(
            {
                "path": self.paths,
                "label": self.labels,
                "direction": to_lists(self.directions.astype(float16), pa.float16()),
                "point": to_lists(self.points, pa.float32()),
                "thumbnail": pa.array(self.thumbnails, pa.binary()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "KnownPhotographs":
        """Return what `to_table` was called on."""
        rows = table.combine_chunks()
        return cls(
            rows.column("path").to_pylist(),
            rows.column("label").to_pylist(),
            to_matrix(rows.column("direction")).astype(float32),
            to_matrix(rows.column("point")).astype(float32, copy=False),
            rows.column("thumbnail").to_pylist(),
        )


def directions_of(features: NDArray[floating]) -> NDArray[float32]:
    """Return (n, n_features) features divided by their length; a vector of zeros stays one.

    Rounded to float16, which is enough: cosines differ by less than 0.001.
    """
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    scaled = features / np.maximum(lengths, np.finfo(float32).tiny)
    directions: NDArray[float32] = scaled.astype(float16).astype(float32)
    return directions


def evenly_by_label(paths: Sequence[str], labels: Sequence[str], n: int) -> NDArray[np.intp]:
    """Return at most ``n`` rows, evenly over the labels, the same ones every time; ascending."""
    order = sorted(range(len(paths)), key=lambda row: path_hash(paths[row]))
    n_taken: dict[str, int] = {}
    ranked = []
    for row in order:
        n_taken[labels[row]] = n_taken.get(labels[row], 0) + 1
        ranked.append((n_taken[labels[row]], labels[row], row))
    return np.array(sorted(row for *_, row in sorted(ranked)[:n]), dtype=np.intp)


def similarity_floor(
    features: NDArray[floating],
    objects: Sequence[str],
    known_rows: NDArray[np.intp],
    *,
    refusal_rate: float,
) -> float:
    """Return the cosine to the nearest known photograph below which one is called unknown.

    Of the photographs, each is compared with the known ones of other objects, as a new photograph
    will be.  The share ``refusal_rate`` of new photographs that are like them lies below: exactly
    so, on average, for photographs that could be exchanged for these, and for nothing else.

    Source: split conformal prediction, Vovk, Gammerman, Shafer, Algorithmic Learning in a Random
    World, 2005, doi:10.1007/b106715; Angelopoulos, Bates, doi:10.1561/2200000101.

    Parameters
    ----------
    features : ndarray of shape (n, n_features)
    objects : the object on each; where one is not known, a name of its own
    known_rows : rows of those that are kept to compare with
    """
    directions = directions_of(features)
    known = directions[known_rows].T
    object_of = np.unique(np.asarray(objects), return_inverse=True)[1]
    nearest = np.empty(len(directions), float32)
    for start in range(0, len(directions), _BLOCK_ROWS):
        block = slice(start, start + _BLOCK_ROWS)
        cosines = directions[block] @ known
        same = object_of[block, np.newaxis] == object_of[known_rows]
        nearest[block] = np.where(same, -1.0, cosines).max(axis=1)
    # Of n + 1 exchangeable numbers, the new one is among the k smallest in k of n + 1 cases.
    k = int(np.floor(refusal_rate * (len(nearest) + 1)))
    return float(np.sort(nearest)[k - 1]) if k else -1.0


def to_lists(matrix: NDArray[floating], kind: pa.DataType) -> pa.Array:
    """Return the rows of a matrix as a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1), kind), matrix.shape[1])


def to_matrix(column: pa.ChunkedArray) -> NDArray[floating]:
    """Return the matrix whose rows a column of lists holds, of the type that they are kept in."""
    lists = column.combine_chunks()
    return numbers(lists).reshape(len(lists), lists.type.list_size)
