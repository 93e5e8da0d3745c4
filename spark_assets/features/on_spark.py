"""Featurization on Spark: slices of paths go to the workers, which write the tables' files."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import pyarrow as pa
from pyspark import Broadcast, SparkContext, TaskContext

from spark_assets.errors import FruitsError
from spark_assets.features.engines import Engine, EngineSpec, build_engine
from spark_assets.features.outcome_files import write_outcomes
from spark_assets.features.task import IsErased, extract
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import entries_in
from spark_assets.images.naming import LabelRule
from spark_assets.images.reading import ImageReader, ReadAhead, ReadImage
from spark_assets.runtime.spark_context import n_task_slots
from spark_assets.runtime.workers import forget_zip_directories, freeze_what_is_loaded
from spark_assets.storage.locations import Location
from spark_assets.storage.s3_answers import AccessRefused, Concern, concern_of, sentence_of_refused
from spark_assets.storage.schemas import OUTCOMES

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


@dataclass(frozen=True, slots=True)
class Written:
    """What tasks have written: the names of the files, as `write_outcomes` gives them.

    ``refused`` counts the images without a row, for S3 refuses access to them, by its code.
    """

    files: list[str]
    refused: Counter[str]


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
    folders: Mapping[str, Location],
    *,
    n_tasks: int,
) -> Written:
    """Write the rows of images, `schemas.LISTED` ordered by path.

    Only paths travel.  Each task takes a slice, reads its images itself, and writes its rows in
    their final form: rows that came back for Spark to write took a fifth of a run.  A worker keeps
    its engine and its reader threads from one task to the next.

    A file is named by the attempt that wrote it, whole or not there: of attempts that fail or come
    second, what they have written is not among the names.

    Images that S3 refuses access to are counted to the end, so that the rights have to be asked for
    once only; but where credentials, clock or region are wrong the task fails, as it may not
    elsewhere.
    """

    def work(share: pa.Table) -> Written:
        forget_zip_directories()
        engine, ahead = _engine(settings.engine_id, spec), _read_ahead()
        reader = ImageReader(settings.images, limits=settings.limits)
        refused: Counter[str] = Counter()
        outcomes = extract(
            _without_refused(ahead.read(entries_in(share), reader), refused),
            engine=engine,
            size_px=settings.size_px,
            limits=settings.limits,
            labels=settings.labels,
            is_erased=settings.is_erased,
        )
        rows = pa.Table.from_batches(outcomes, OUTCOMES)
        if any(concern_of(code) is Concern.REQUEST for code in refused):
            n_images = share.num_rows
            raise FruitsError(refused_sentence(refused, n_images, settings.images, " of a task"))
        return Written(write_outcomes(rows, folders, _file_name()), refused)

    bounds = [images.num_rows * task // n_tasks for task in range(n_tasks + 1)]
    shares = [images.slice(start, end - start).combine_chunks() for start, end in pairwise(bounds)]
    parts = context.parallelize(shares, n_tasks).map(work).collect()
    names = sorted(name for part in parts for name in part.files)
    return Written(names, sum((part.refused for part in parts), Counter()))


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
