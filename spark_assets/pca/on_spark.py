"""The PCA on Spark: the statistics of a features table, and its projection."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy import float32, floating
from numpy.typing import NDArray
from pyspark import Broadcast, TaskContext
from pyspark.sql import DataFrame

from spark_assets.pca.model import PCAModel, project
from spark_assets.pca.statistics import PCAStatistics, mixed_lengths
from spark_assets.schemas import REDUCED, spark_schema
from spark_assets.session import n_task_slots
from spark_assets.worker import forget_zip_directories

# Enough rows for BLAS to run at full speed, few enough for 20 MB of float64 at 1280 features.
_BLOCK_ROWS = 2048
# Partial statistics, of 6.6 MB each at 1280 features, that one task holds to merge them.
_FAN_IN = 8
# A few, so that the last task does not run alone for long; each costs a partial.
_PARTITIONS_PER_SLOT = 4
_PARTIAL = pa.schema([("ordinal", pa.int32()), ("statistics", pa.binary())])


def compute_statistics(
    features: DataFrame, *, column: str = "features", max_partials: int = 16
) -> PCAStatistics:
    """Compute the statistics of a column of feature vectors, array<float> or array<double>.

    Each partition yields one partial.  Tasks merge these in a tree until there are at most
    ``max_partials``, which the driver collects and merges: its memory does not grow with the table.
    A null vector, or a null in a vector, counts as not finite.

    Raises
    ------
    FruitsError
        If the vectors differ in length (raised in a task, it arrives as a PythonException).
    """
    n_partials = max(_PARTITIONS_PER_SLOT * n_task_slots(features.sparkSession), max_partials)
    vectors = features.select(column).coalesce(n_partials)
    partials = vectors.mapInArrow(_partition_statistics, spark_schema(_PARTIAL))
    while n_partials > max_partials:
        n_partials = max(-(-n_partials // _FAN_IN), max_partials)
        # By number: a random target for each would leave some tasks idle and give others many.
        together = partials.repartitionById(n_partials, "ordinal")
        partials = together.mapInArrow(_merge_partials, spark_schema(_PARTIAL))
    return _merged(partials.toArrow().to_batches())


def project_features(
    features: DataFrame, model: PCAModel, *, keep: Sequence[str] = ()
) -> DataFrame:
    """Return the reduced table, path, label and pca_features (n_components), as `REDUCED` says.

    ``features`` has the columns path, label and features, and those to ``keep``, which are text and
    come last.  The model is broadcast once.  Vectors of another length than the model's raise
    FruitsError in a task.
    """
    broadcast = features.sparkSession.sparkContext.broadcast(model)
    schema = pa.schema([*REDUCED, *(pa.field(name, pa.string(), nullable=False) for name in keep)])
    rows = features.select("path", "label", "features", *keep)
    return rows.mapInArrow(partial(_project_batches, broadcast, schema), spark_schema(schema))


def _partition_statistics(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the one partial of a partition, or nothing where it is empty."""
    forget_zip_directories()
    statistics = _statistics(vectors for batch in batches for vectors in _split(batch.column(0)))
    if statistics.n_samples or statistics.n_not_finite:
        yield _partial(statistics)


def _merge_partials(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    held = list(batches)
    if any(batch.num_rows for batch in held):
        yield _partial(_merged(held))


def _partial(statistics: PCAStatistics) -> pa.RecordBatch:
    context = TaskContext.get()
    assert context is not None  # only tasks make partials
    columns = [
        pa.array([context.partitionId()], pa.int32()),
        pa.array([statistics.to_bytes()], pa.binary()),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_PARTIAL)


def _merged(batches: Iterable[pa.RecordBatch]) -> PCAStatistics:
    """Merge partials by their ordinal, so that the same partitions give the same digits."""
    partials = [
        (ordinal.as_py(), memoryview(data.as_buffer()))
        for batch in batches
        for ordinal, data in zip(batch.column(0), batch.column(1), strict=True)
    ]
    partials.sort(key=lambda item: item[0])
    each = (PCAStatistics.from_bytes(data) for _, data in partials)
    return reduce(PCAStatistics.merge, each, PCAStatistics.empty())


def _statistics(columns: Iterable[pa.ListArray]) -> PCAStatistics:
    """Return the statistics of feature vectors that come in small columns."""
    statistics = PCAStatistics.empty()
    waiting: list[NDArray[floating[Any]]] = []
    for column in columns:
        vectors = feature_matrix(column)
        if len(vectors) < len(column):
            n_null = len(column) - len(vectors)
            statistics = statistics.merge(PCAStatistics.empty(n_not_finite=n_null))
        waiting.append(vectors)
        # Merging costs as much as some hundred rows do: not for each batch of Spark's.
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
    return PCAStatistics.from_features(np.concatenate(filled)) if filled else PCAStatistics.empty()


def _split(column: pa.ListArray) -> Iterator[pa.ListArray]:
    """Cut a column so that no piece has more rows than a block, whatever Spark's batch size."""
    return (column.slice(start, _BLOCK_ROWS) for start in range(0, len(column), _BLOCK_ROWS))


def feature_matrix(column: pa.ListArray) -> NDArray[floating[Any]]:
    """Return the vectors of a column, without null ones: a view where nothing is null.

    Raises FruitsError if they differ in length.
    """
    column = column.drop_null()
    lengths = pc.min_max(pc.list_value_length(column)).as_py()
    shortest, longest = lengths["min"] or 0, lengths["max"] or 0
    if shortest != longest:
        raise mixed_lengths(shortest, longest)
    values: NDArray[floating[Any]] = column.flatten().to_numpy(zero_copy_only=False)
    return values.reshape(len(column), longest)


def _project_batches(
    model: Broadcast[PCAModel], schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        projected = project(model.value, feature_matrix(batch.column("features"))).astype(float32)
        n_rows, n_components = projected.shape
        starts = np.arange(n_rows + 1, dtype=np.int32) * n_components
        lists = pa.ListArray.from_arrays(
            pa.array(starts),
            pa.array(projected.reshape(-1)),
            type=REDUCED.field("pca_features").type,
        )
        kept = [batch.column(name) for name in schema.names[len(REDUCED) :]]
        columns = [batch.column("path"), batch.column("label"), lists, *kept]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
