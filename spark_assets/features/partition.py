"""A partition of the images of a run: featurized into one file of each table.

A task of Spark and a thread of this process run the same function.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.features.engines import Engine
from spark_assets.features.extraction import IsErased, extract
from spark_assets.images.labels import LabelRule
from spark_assets.images.listing import entries_in
from spark_assets.images.reading import ImageReader, ReadAhead, ReadImage
from spark_assets.images.rejection import ImageLimits, Reason
from spark_assets.storage.files import write_into
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.s3_answers import AccessRefused, Concern, concern_of, sentence_of_refused
from spark_assets.storage.schemas import OUTCOMES, TABLES

WRITTEN_TABLES = ("features", "rejected")
# A partition takes seconds: the last one does not run alone for long, and a lost executor costs
# little.  Its file of features has 5 MB, which the removal of a photograph rewrites.
MAX_IMAGES, _MIN_IMAGES, _PARTITIONS_PER_SLOT = 1024, 32, 3
# Reasons of images whose bytes were not read.
_UNREAD = (Reason.UNREADABLE, Reason.TOO_LARGE)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """The settings of a run that every partition shares.

    The files go to ``folder``, which has a folder for each of `WRITTEN_TABLES`.  ``is_erased``
    returns whether the image of a SHA-256 was erased.
    """

    run_id: str
    images: Location
    folder: Location
    limits: ImageLimits
    labels: LabelRule
    size_px: int
    is_erased: IsErased | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """The files that were written, relative to the folder, and their numbers of rows.

    ``rejected`` counts rows by reason.  ``refused`` counts, by the code of S3, the images that it
    refuses access to, which have no row.
    """

    files: tuple[str, ...] = ()
    n_features: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    n_bytes: int = 0
    refused: Counter[str] = field(default_factory=Counter)

    def __add__(self, other: "Written") -> "Written":
        return Written(
            self.files + other.files,
            self.n_features + other.n_features,
            self.rejected + other.rejected,
            self.n_bytes + other.n_bytes,
            self.refused + other.refused,
        )


def split_images(images: pa.Table, n_slots: int) -> list[pa.Table]:
    """Return even slices of images for ``n_slots`` tasks at a time."""
    if not (n_images := images.num_rows):
        return []
    even = math.ceil(n_images / (n_slots * _PARTITIONS_PER_SLOT))
    n_partitions = math.ceil(n_images / min(max(even, _MIN_IMAGES), MAX_IMAGES))
    bounds = [n_images * number // n_partitions for number in range(n_partitions + 1)]
    return [images.slice(start, end - start).combine_chunks() for start, end in pairwise(bounds)]


def partition_name(run_id: str, number: int, attempt: int = 0) -> str:
    """Return the file name of a partition, which no other run, partition or attempt has."""
    return f"{run_id}-{number:05d}-{attempt}.parquet"


def featurize_partition(
    settings: RunSettings,
    engine: Engine,
    ahead: ReadAhead,
    images: pa.Table,
    name: str,
    on_image: Callable[[], None] = lambda: None,
) -> Written:
    """Read, decode and featurize images, and write a row of each, in order.

    Parameters
    ----------
    settings : RunSettings
    engine : Engine
    ahead : ReadAhead
    images : pyarrow.Table
        Of `schemas.LISTED`.
    name : str
        Of the files; a file is complete or does not exist.
    on_image : callable
        Called for each image that was read.

    Raises
    ------
    FruitsError
        Where a file cannot be written, and where credentials, clock or region are wrong.  Images
        that S3 refuses access to are counted to the end instead, for one message about all.
    """
    reader = ImageReader(settings.images, limits=settings.limits)
    refused: Counter[str] = Counter()
    batches = extract(
        _usable(ahead.read(entries_in(images), reader), refused, on_image),
        engine=engine,
        size_px=settings.size_px,
        limits=settings.limits,
        labels=settings.labels,
        is_erased=settings.is_erased,
    )
    outcomes = pa.Table.from_batches(batches, OUTCOMES)
    if any(concern_of(code) is Concern.REQUEST for code in refused):
        raise FruitsError(refused_sentence(refused, images.num_rows, settings.images, " of a task"))
    return _write(settings, outcomes, name, refused)


def refused_sentence(
    refused: Mapping[str, int], n_images: int, images: Location, of_task: str = ""
) -> str:
    """Return the message of how many images S3 refuses access to, and what to do."""
    anonymous = images.s3 is not None and images.s3.anonymous
    what = f"images{of_task} in {images.uri}"
    return sentence_of_refused(refused, f"{n_images} {what}", anonymous=anonymous)


def _write(settings: RunSettings, outcomes: pa.Table, name: str, refused: Counter[str]) -> Written:
    is_usable = pc.is_null(outcomes["reason"])
    rows = {
        "features": outcomes.filter(is_usable),
        "rejected": outcomes.filter(pc.invert(is_usable)),
    }
    with_rows = [table for table in rows if rows[table].num_rows]
    for table in with_rows:
        run_id = pa.repeat(settings.run_id, rows[table].num_rows)
        columns = rows[table].append_column("run_id", run_id).select(TABLES[table].names)
        content = to_parquet(columns.cast(TABLES[table]))
        write_into(settings.folder.child(table, name), content)
    was_read = pc.invert(pc.is_in(outcomes["reason"], value_set=pa.array(map(str, _UNREAD))))
    return Written(
        tuple(f"{table}/{name}" for table in with_rows),
        rows["features"].num_rows,
        Counter(rows["rejected"]["reason"].to_pylist()),
        pc.sum(outcomes["size_bytes"].filter(was_read)).as_py() or 0,
        refused,
    )


def _usable(
    images: Iterable[ReadImage], refused: Counter[str], on_image: Callable[[], None]
) -> Iterator[ReadImage]:
    """Yield the images, without those that S3 refuses access to, which are counted by code."""
    for image in images:
        on_image()
        if isinstance(image.content, AccessRefused):
            refused[image.content.code] += 1
        else:
            yield image
