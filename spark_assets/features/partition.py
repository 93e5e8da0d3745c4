"""A share of a run: images in, files of features and of rejected images out.

The same function for a task of Spark and for a thread of this process.
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
# A share takes seconds: the last one does not run alone for long, and a lost executor costs little.
# Its file of features has 5 MB, of which the removal of a photograph writes one anew.
MAX_IMAGES, _MIN_IMAGES, _SHARES_PER_SLOT = 1024, 32, 3
# Images that storage gave no bytes of.
_UNREAD = (Reason.UNREADABLE, Reason.TOO_LARGE)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """What every share of a run is told.

    ``folder`` is where the files go, in a folder for each of `WRITTEN_TABLES` that is there.
    ``is_erased`` tells of a digest that its image is refused.
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
    """What was written: paths of files below the folder, and rows by table and reason.

    ``refused`` counts the images without a row, for S3 refuses access to them, by its code.
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
    """Return even slices of images, of which ``n_slots`` are worked on at a time."""
    if not (n_images := images.num_rows):
        return []
    even = math.ceil(n_images / (n_slots * _SHARES_PER_SLOT))
    n_shares = math.ceil(n_images / min(max(even, _MIN_IMAGES), MAX_IMAGES))
    bounds = [n_images * number // n_shares for number in range(n_shares + 1)]
    return [images.slice(start, end - start).combine_chunks() for start, end in pairwise(bounds)]


def partition_name(run_id: str, number: int, attempt: int = 0) -> str:
    """Return the name of the files of a share: no other run, share or attempt has it."""
    return f"{run_id}-{number:05d}-{attempt}.parquet"


def featurize_partition(
    settings: RunSettings,
    engine: Engine,
    ahead: ReadAhead,
    images: pa.Table,
    name: str,
    on_image: Callable[[], None] = lambda: None,
) -> Written:
    """Read, decode and featurize images, `schemas.LISTED`; write a row of each, in order.

    ``name`` is that of the files, which are whole or not there.  ``on_image`` is called for each
    image that is read.

    Images that S3 refuses access to are counted to the end, so that the rights have to be asked for
    once only.  Raises FruitsError where credentials, clock or region are wrong, as they may not be
    for another share, and where a file cannot be written.
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
    """Tell how many of some images S3 refuses access to, and what to do."""
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
    """Yield the images but those that S3 refuses access to, which are counted by its code."""
    for image in images:
        on_image()
        if isinstance(image.content, AccessRefused):
            refused[image.content.code] += 1
        else:
            yield image
