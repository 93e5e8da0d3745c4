"""Featurization on Spark: slices of paths go to the workers, which write the tables' files."""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa
from pyspark import Broadcast, SparkContext, TaskContext

from spark_assets.features.engines import Engine, EngineSpec, build_engine
from spark_assets.features.outcome_files import TableFolders, write_outcomes
from spark_assets.features.task import IsErased, extract
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import entries_in
from spark_assets.images.naming import LabelRule
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.locations import Location
from spark_assets.schemas import OUTCOMES
from spark_assets.session import n_task_slots
from spark_assets.worker import forget_zip_directories, freeze_what_is_loaded

# A task of 512 images takes seconds: the last one does not run alone for long, and a lost executor
# costs little.  Its file of features has 2.6 MB, of which erasing a photograph writes one anew.
_IMAGES_PER_TASK_MAX = 512
_IMAGES_PER_TASK_MIN = 32
_TASKS_PER_SLOT = 3


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """What every task of a run is told.

    The engine's weights are broadcast beside it; ``engine_id`` names them, so that a worker that
    has built the engine does not read them again.  ``is_erased`` tells of a digest that its image
    is refused.
    """

    images: Location
    limits: ImageLimits
    labels: LabelRule
    size_px: int
    engine_id: str
    is_erased: IsErased | None = None


def n_tasks_for(context: SparkContext, n_images: int) -> int:
    """Return how many even tasks to make of a number of images."""
    slots = n_task_slots(context)
    even = math.ceil(n_images / (slots * _TASKS_PER_SLOT))
    per_task = min(max(even, _IMAGES_PER_TASK_MIN), _IMAGES_PER_TASK_MAX)
    return max(1, math.ceil(n_images / per_task))


def featurize_on_spark(
    context: SparkContext,
    images: pa.Table,
    spec: Broadcast[EngineSpec],
    settings: TaskSettings,
    folders: TableFolders,
    *,
    n_tasks: int,
) -> list[str]:
    """Write the rows of images, `schemas.LISTED` ordered by path; return the names of the files.

    Only paths travel.  Each task takes a slice, reads its images itself, and writes its rows in
    their final form: rows that came back for Spark to write took a fifth of a run.  A worker keeps
    its engine and its reader threads from one task to the next.

    A file is named by the attempt that wrote it, whole or not there: of attempts that fail or come
    second, what they have written is not among the names.
    """

    def work(share: pa.Table) -> list[str]:
        forget_zip_directories()
        engine, ahead = _engine(settings.engine_id, spec), _read_ahead()
        reader = ImageReader(settings.images, limits=settings.limits)
        outcomes = extract(
            ahead.read(entries_in(share), reader),
            engine=engine,
            size_px=settings.size_px,
            limits=settings.limits,
            labels=settings.labels,
            is_erased=settings.is_erased,
        )
        return write_outcomes(pa.Table.from_batches(outcomes, OUTCOMES), folders, _file_name())

    bounds = [images.num_rows * task // n_tasks for task in range(n_tasks + 1)]
    shares = [images.slice(start, end - start).combine_chunks() for start, end in pairwise(bounds)]
    names = context.parallelize(shares, n_tasks).flatMap(work).collect()
    return sorted(names)


def _file_name() -> str:
    context = TaskContext.get()
    assert context is not None
    return f"part-{context.partitionId():05d}-{context.taskAttemptId()}.zstd.parquet"


_engines: dict[str, Engine] = {}


def _engine(engine_id: str, spec: Broadcast[EngineSpec]) -> Engine:
    """Return this worker's engine, built at its first task."""
    if engine_id not in _engines:
        _engines.clear()
        _engines[engine_id] = build_engine(spec.value)
        freeze_what_is_loaded()
    return _engines[engine_id]


@lru_cache(maxsize=1)
def _read_ahead() -> ReadAhead:
    return ReadAhead()
