"""PCA on Arrow batches: statistics of their features, and their projection."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy import float32, floating
from numpy.typing import NDArray

from spark_assets.pca.model import PCAModel, project
from spark_assets.pca.statistics import PCAStatistics, mixed_lengths
from spark_assets.storage.schemas import REDUCED

# Enough rows for BLAS to run at full speed, few enough for 20 MB of float64 at 1280 features.
_BLOCK_ROWS = 2048


def statistics_of(columns: Iterable[pa.ListArray]) -> PCAStatistics:
    """Return the statistics of the feature vectors of columns, in blocks of `_BLOCK_ROWS`.

    Parameters
    ----------
    columns : iterable of pyarrow.ListArray
        array<float> or array<double>.  A null vector, or a null in one, counts as not finite.

    Raises
    ------
    FruitsError
        Where the vectors differ in length.
    """
    statistics = PCAStatistics.empty()
    waiting: list[NDArray[floating[Any]]] = []
    for column in columns:
        vectors = feature_matrix(column)
        if len(vectors) < len(column):
            n_null = len(column) - len(vectors)
            statistics = statistics.merge(PCAStatistics.empty(n_not_finite=n_null))
        waiting.append(vectors)
        # A merge costs as much as some hundred rows.
        if sum(map(len, waiting)) >= _BLOCK_ROWS:
            statistics = statistics.merge(_block_statistics(waiting))
            waiting = []
    return statistics.merge(_block_statistics(waiting))


def _block_statistics(
    parts: Sequence[NDArray[floating[Any]]],
) -> PCAStatistics:
    filled = [part for part in parts if len(part)]
    lengths = {part.shape[1] for part in filled}
    if len(lengths) > 1:
        raise mixed_lengths(min(lengths), max(lengths))
    return PCAStatistics.from_features(*filled) if filled else PCAStatistics.empty()


def feature_matrix(column: pa.ListArray) -> NDArray[floating[Any]]:
    """Return the vectors of a column that are not null, (n, n_features); a view where none is null.

    Raises FruitsError where they differ in length.
    """
    column = column.drop_null()
    lengths = pc.min_max(pc.list_value_length(column)).as_py()
    shortest, longest = lengths["min"] or 0, lengths["max"] or 0
    if shortest != longest:
        raise mixed_lengths(shortest, longest)
    values: NDArray[floating[Any]] = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), longest)


def project_batches(model: PCAModel, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield batches of `REDUCED` for batches of path, label and features, in this order.

    Raises FruitsError for vectors of another length than the model's.
    """
    for batch in batches:
        path, label, features = batch.columns
        projected = project(model, feature_matrix(features)).astype(float32)
        n_rows, n_components = projected.shape
        starts = np.arange(n_rows + 1, dtype=np.int32) * n_components
        lists = pa.ListArray.from_arrays(
            pa.array(starts),
            pa.array(projected.reshape(-1)),
            type=REDUCED.field("pca_features").type,
        )
        yield pa.RecordBatch.from_arrays([path, label, lists], schema=REDUCED)
