"""Featurization in tasks of Spark: partitions of paths go to the workers, which write the files."""

from functools import lru_cache, reduce
from operator import add

import pyarrow as pa
from pyspark import SparkContext, TaskContext

from spark_assets.features.engines import Engine, EngineSpec, build_engine
from spark_assets.features.partition import (
    RunSettings,
    Written,
    featurize_partition,
    partition_name,
    split_images,
)
from spark_assets.images.reading import ReadAhead
from spark_assets.runtime.distribute import forget_zip_directories, freeze_loaded_modules
from spark_assets.runtime.progress import ProgressRecord, track_job
from spark_assets.runtime.spark_context import n_task_slots
from spark_assets.storage.locations import Location


def featurize_on_spark(
    context: SparkContext, images: pa.Table, spec: EngineSpec, settings: RunSettings
) -> tuple[Written, ProgressRecord]:
    """Write the rows of images, `schemas.LISTED` ordered by path, in tasks of Spark.

    Paths go to the tasks, and the weights once to each executor.  A task reads its images itself
    and writes its files: to return rows for Spark to write took a fifth of a run.  A worker keeps
    its engine and its reader threads from one task to the next.

    A file has the number of the attempt in its name; files of failed or speculative attempts are
    not among those that are returned.
    """
    broadcast = context.broadcast(spec)
    engine_id = spec.engine_id

    def work(numbered: tuple[int, pa.Table]) -> Written:
        forget_zip_directories()
        number, partition = numbered
        if engine_id not in _engines:
            _engines.clear()
            _engines[engine_id] = build_engine(broadcast.value)
            freeze_loaded_modules()
        context = TaskContext.get()
        assert context is not None
        name = partition_name(settings.run_id, number, context.taskAttemptId())
        engine, ahead = _engines[engine_id], _read_ahead(settings.images)
        return featurize_partition(settings, engine, ahead, partition, name)

    partitions = split_images(images, n_task_slots(context))
    with track_job(context, n_images=images.num_rows, n_tasks=len(partitions)) as progress:
        tasks = context.parallelize([*enumerate(partitions)], len(partitions)).map(work)
        written = reduce(add, tasks.collect(), Written())
    broadcast.destroy()
    return written, progress


_engines: dict[str, Engine] = {}


@lru_cache(maxsize=1)
def _read_ahead(images: Location) -> ReadAhead:
    return ReadAhead.for_storage(images)
