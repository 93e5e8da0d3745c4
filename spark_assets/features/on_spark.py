"""Featurization on Spark: paths go to the workers, which leave a file of outcomes for each task."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
from pyspark import Broadcast, SparkContext, TaskContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_assets.errors import FruitsError
from spark_assets.features.engines import Engine, EngineSpec, build_engine
from spark_assets.features.task import IsErased, extract
from spark_assets.files import write_bytes
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import ImageEntry, entries_in
from spark_assets.images.naming import LabelRule
from spark_assets.images.reading import ImageReader, ReadAhead, ReadImage
from spark_assets.locations import Location
from spark_assets.s3_answers import AccessRefused, Concern, concern_of, sentence_of_refused
from spark_assets.schemas import FEATURES, OUTCOMES, REFUSED, REJECTED, spark_schema
from spark_assets.session import n_task_slots
from spark_assets.small_parquet import to_parquet
from spark_assets.worker import forget_zip_directories, freeze_what_is_loaded

# A task of 512 images takes seconds: the last one does not run alone for long, and a lost executor
# costs little.
_IMAGES_PER_TASK_MAX = 512
_IMAGES_PER_TASK_MIN = 32
_TASKS_PER_SLOT = 3
_BYTES_PER_FILE = 64 * 1024 * 1024
_ROWS_PER_FILE_MIN = 500
_FILES_PER_RUN = 200


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


def look_at_images(
    context: SparkContext,
    images: DataFrame | Sequence[ImageEntry],
    spec: Broadcast[EngineSpec],
    settings: TaskSettings,
    folder: Location,
    *,
    n_tasks: int,
) -> Counter[str]:
    """Write a row of `schemas.OUTCOMES` per image: with features, or with a reason.

    Return how many images have none because S3 refuses access to them, by its code.  They are
    counted to the end, so that the rights have to be asked for once only; but where credentials,
    clock or region are wrong the task fails, as it may not elsewhere.

    ``images`` has the columns of `schemas.IMAGES`.  Only paths travel; each worker reads its images
    itself, keeps its engine and its reader threads from one task to the next, and writes a file for
    each task: rows that came back for Spark to write took the JVM 0.2 ms of processor an image.
    The file is named by the task, whole or not there, and the same after a retry.
    """

    def work(entries: Iterable[ImageEntry]) -> Counter[str]:
        forget_zip_directories()
        engine, ahead = _engine(settings.engine_id, spec), _read_ahead()
        reader = ImageReader(settings.images, limits=settings.limits)
        refused: Counter[str] = Counter()
        outcomes = extract(
            _without_refused(ahead.read(entries, reader), refused),
            engine=engine,
            size_px=settings.size_px,
            limits=settings.limits,
            labels=settings.labels,
            is_erased=settings.is_erased,
        )
        table = pa.Table.from_batches(outcomes, OUTCOMES)
        if any(concern_of(code) is Concern.REQUEST for code in refused):
            n_images = table.num_rows + refused.total()
            raise FruitsError(refused_sentence(refused, n_images, settings.images, " of a task"))
        write_bytes(folder.child(f"part-{_task():05d}.parquet"), to_parquet(table))
        return refused

    def work_on_batches(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        refused = work(entries_in(batches))
        yield pa.RecordBatch.from_arrays([[*refused], [*refused.values()]], schema=REFUSED)

    if isinstance(images, DataFrame):
        shares = images.repartition(n_tasks)
        rows = shares.mapInArrow(work_on_batches, spark_schema(REFUSED)).collect()
        parts = [Counter({row["code"]: row["n_images"]}) for row in rows]
    else:  # without a plan, a shuffle and generated code, which take a second of a short run
        dealt = [images[first::n_tasks] for first in range(n_tasks)]
        parts = context.parallelize(dealt, n_tasks).map(work).collect()
    return sum(parts, Counter())


def refused_sentence(
    refused: Mapping[str, int], n_images: int, images: Location, of_task: str = ""
) -> str:
    """Tell how many of some images S3 refuses access to, and what to do."""
    anonymous = images.s3 is not None and images.s3.anonymous
    what = f"images{of_task} in {images.uri}"
    return sentence_of_refused(refused, f"{n_images} {what}", anonymous=anonymous)


def _without_refused(images: Iterable[ReadImage], refused: Counter[str]) -> Iterator[ReadImage]:
    """Yield the images but those that S3 refuses access to, which are counted by its code."""
    for image in images:
        if isinstance(image.content, AccessRefused):
            refused[image.content.code] += 1
        else:
            yield image


def split_outcomes(
    outcomes: DataFrame,
    *,
    features: Location,
    rejected: Location,
    n_images: int,
    n_features: int,
) -> None:
    """Write the two tables from the kept outcomes.

    Neighbours by path are neighbours in the files of features, of which none holds more than
    `rows_per_file`: erasing a few images then writes little anew.
    """
    n_files = math.ceil(n_images / rows_per_file(n_images, n_features))
    usable = outcomes.where(F.col("reason").isNull()).select(*FEATURES.names)
    shared = usable.coalesce(1) if n_files <= 1 else usable.repartitionByRange(n_files, "path")
    (
        shared.sortWithinPartitions("path")
        .write.option("parquet.enable.dictionary#features.list.element", "false")
        .parquet(features.spark_path())
    )
    unusable = outcomes.where(F.col("reason").isNotNull()).select(*REJECTED.names)
    unusable.coalesce(1).write.parquet(rejected.spark_path())


def rows_per_file(n_images: int, n_features: int) -> int:
    """Return how many rows of features a file holds: half a percent of a large run.

    At least 500, as Spark reads few files faster than many, and at most 64 MiB.
    """
    most = _BYTES_PER_FILE // (np.dtype(np.float32).itemsize * n_features)
    return min(max(_ROWS_PER_FILE_MIN, n_images // _FILES_PER_RUN), max(1, most))


def _task() -> int:
    """Return the number of this task among those of its job, the same when it is tried again."""
    context = TaskContext.get()
    assert context is not None
    return context.partitionId()


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
