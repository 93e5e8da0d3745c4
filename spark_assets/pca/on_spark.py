"""The PCA on Spark: the statistics of a features table, and its projection."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial, reduce

import pyarrow as pa
from pyspark import Broadcast, TaskContext
from pyspark.sql import DataFrame

from spark_assets.pca.batches import project_batches, statistics_of
from spark_assets.pca.model import PCAModel
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.schemas import REDUCED, spark_schema
from spark_assets.session import n_task_slots
from spark_assets.worker import forget_zip_directories

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
    n_partials = max(
        _PARTITIONS_PER_SLOT * n_task_slots(features.sparkSession.sparkContext), max_partials
    )
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
    return rows.mapInArrow(partial(_project_partition, broadcast, schema), spark_schema(schema))


def _partition_statistics(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Yield the one partial of a partition, or nothing where it is empty."""
    forget_zip_directories()
    statistics = statistics_of(batch.column(0) for batch in batches)
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


def _project_partition(
    model: Broadcast[PCAModel], schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    return project_batches(model.value, schema, batches)
