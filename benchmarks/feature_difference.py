"""Whether two programs computed the same features: a ratio of their times means nothing if not."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from spark_assets.errors import FruitsError


def largest_difference(theirs: Path, ours: Path) -> float:
    """Return the largest difference between two tables of features, in standard deviations.

    Each is a folder of Parquet files with ``path`` and ``features``; the deviation of a feature is
    that of ``theirs``.  Raises FruitsError where they do not hold the same images.
    """
    expected, found = _features_by_name(theirs), _features_by_name(ours)
    if expected.keys() != found.keys():
        raise FruitsError(f"{theirs.parent.name} and fruits featurize hold different images")
    names = sorted(found)
    matrix = np.stack([expected[name] for name in names])
    difference = np.abs(np.stack([found[name] for name in names]) - matrix)
    deviation = np.maximum(matrix.std(axis=0), np.finfo(np.float32).eps)
    return float((difference.max(axis=0) / deviation).max())


def _features_by_name(folder: Path) -> dict[str, NDArray[np.float32]]:
    """Return the features by file name, which the inputs number through."""
    table = pq.read_table(folder, columns=["path", "features"])
    matrix = table["features"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
    names = [path.rpartition("/")[2] for path in table["path"].to_pylist()]
    if len(set(names)) != len(names):
        raise FruitsError(f"{folder.parent.name} holds an image twice")
    return dict(zip(names, matrix, strict=True))
