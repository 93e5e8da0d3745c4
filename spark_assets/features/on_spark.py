"""Featurization in tasks of Spark: slices of paths go to the workers, which write the files."""

from functools import lru_cache, reduce
from operator import add

import pyarrow as pa
from pyspark import SparkContext, TaskContext

from spark_assets.features.engines import Engine, EngineSpec, build_engine
from spark_assets.features.partition import (
    RunSettings,
    Written,
    featurize_share,
    share_name,
    shares_of,
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

    Only paths travel, and the weights once to each executor.  Each task takes a slice, reads its
    images itself, and writes its rows in their final form: rows that came back for Spark to write
    took a fifth of a run.  A worker keeps its engine and its reader threads from one task to the
    next.

    A file is named by the attempt that wrote it: of attempts that fail or come second, what they
    have written is not among the names that are returned.
    """
    broadcast = context.broadcast(spec)
    engine_id = spec.engine_id

    def work(numbered: tuple[int, pa.Table]) -> Written:
        forget_zip_directories()
        number, share = numbered
        if engine_id not in _engines:
            _engines.clear()
            _engines[engine_id] = build_engine(broadcast.value)
            freeze_loaded_modules()
        context = TaskContext.get()
        assert context is not None
        name = share_name(settings.run_id, number, context.taskAttemptId())
        return featurize_share(
            settings, _engines[engine_id], _read_ahead(settings.images), share, name
        )

    shares = shares_of(images, n_task_slots(context))
    with track_job(context, n_images=images.num_rows, n_tasks=len(shares)) as progress:
        tasks = context.parallelize([*enumerate(shares)], len(shares)).map(work)
        written = reduce(add, tasks.collect(), Written())
    broadcast.destroy()
    return written, progress


_engines: dict[str, Engine] = {}


@lru_cache(maxsize=1)
def _read_ahead(images: Location) -> ReadAhead:
    return ReadAhead.of(images)
