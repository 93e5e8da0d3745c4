"""The reference photographs, among which the nearest to a new one are found."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy import float16, float32, floating
from numpy.typing import NDArray

from spark_assets.pca.drift_sample import path_hash
from spark_assets.storage.parquet import numbers


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceSet:
    """Photographs with labels, one element of each attribute for each.

    Attributes
    ----------
    paths, labels : list of str
    vectors : ndarray of shape (n, n_features), float32
        Of unit length, with the precision of float16, in which they are kept.
    points : ndarray of shape (n, 2), float32
        In the plane of the first two components; 0 for a component that the PCA has not.
    thumbnails : list of bytes or None
        Small JPEGs without metadata.
    """

    paths: list[str]
    labels: list[str]
    vectors: NDArray[float32]
    points: NDArray[float32]
    thumbnails: list[bytes | None]

    def __len__(self) -> int:
        return len(self.paths)

    def similarities(self, vectors: NDArray[floating]) -> NDArray[float32]:
        """Return the cosine of (m, n_features) vectors to each photograph, (m, n)."""
        cosines: NDArray[float32] = vectors.astype(float32) @ self.vectors.T
        return cosines

    def to_table(self) -> pa.Table:
        """Return a table of a row for each photograph."""
        return pa.table(
            {
                "path": self.paths,
                "label": self.labels,
                "vector": to_lists(self.vectors.astype(float16), pa.float16()),
                "point": to_lists(self.points, pa.float32()),
                "thumbnail": pa.array(self.thumbnails, pa.binary()),
            }
        )

    @classmethod
    def from_table(cls, table: pa.Table) -> "ReferenceSet":
        """Return the photographs of a table that `to_table` made."""
        rows = table.combine_chunks()
        return cls(
            rows.column("path").to_pylist(),
            rows.column("label").to_pylist(),
            to_matrix(rows.column("vector")).astype(float32),
            to_matrix(rows.column("point")).astype(float32, copy=False),
            rows.column("thumbnail").to_pylist(),
        )


def rounded(vectors: NDArray[floating]) -> NDArray[float32]:
    """Return vectors with the precision of float16, which changes a cosine by less than 0.001."""
    kept: NDArray[float32] = vectors.astype(float16).astype(float32)
    return kept


def evenly_by_label(paths: Sequence[str], labels: Sequence[str], n: int) -> NDArray[np.intp]:
    """Return at most ``n`` rows, ascending, evenly over the labels, chosen by hashes of paths."""
    order = sorted(range(len(paths)), key=lambda row: path_hash(paths[row]))
    n_taken: dict[str, int] = {}
    ranked = []
    for row in order:
        n_taken[labels[row]] = n_taken.get(labels[row], 0) + 1
        ranked.append((n_taken[labels[row]], labels[row], row))
    return np.array(sorted(row for *_, row in sorted(ranked)[:n]), dtype=np.intp)


def to_lists(matrix: NDArray[floating], kind: pa.DataType) -> pa.Array:
    """Return the rows of a matrix as a column of lists."""
    return pa.FixedSizeListArray.from_arrays(pa.array(matrix.reshape(-1), kind), matrix.shape[1])


def to_matrix(column: pa.ChunkedArray) -> NDArray[floating]:
    """Return the matrix whose rows a column of lists holds, in the type of the column."""
    lists = column.combine_chunks()
    return numbers(lists).reshape(len(lists), lists.type.list_size)
