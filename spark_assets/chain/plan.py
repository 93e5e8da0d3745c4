"""Which images a run looks at: the listing, less what earlier runs hold unchanged."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.errors import FruitsError
from spark_assets.images.decoding import Reason
from spark_assets.images.image_list import read_image_list
from spark_assets.images.listing import (
    ImageEntry,
    instant_of,
    list_images,
    split_listing,
)
from spark_assets.images.naming import label_of
from spark_assets.locations import Location
from spark_assets.output.history import current_features, current_rejected
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.schemas import IMAGES
from spark_assets.session import n_task_slots
from spark_assets.worker import forget_zip_directories

_PARTS_PER_SLOT = 4
_ROWS_PER_BATCH = 10_000
_ARROW_SCHEMA = pa.schema(
    [
        ("path", pa.string()),
        ("label", pa.string()),
        ("size_bytes", pa.int64()),
        ("modified_at", pa.timestamp("us", "UTC")),
    ]
)


@dataclass(frozen=True, slots=True)
class Plan:
    """The images of one run: a table on storage, so that a lost executor changes nothing.

    ``images`` has the columns of `schemas.IMAGES`, one row per path.
    """

    images: DataFrame
    n_images: int
    n_known: int


def plan_images(
    spark: SparkSession,
    images: Location,
    *,
    layout: OutputLayout,
    run_id: str,
    image_list: str | None,
    limit: int | None,
    earlier: Sequence[RunManifest],
    limits_option: dict[str, float],
) -> Plan:
    """List the images and leave out what ``earlier`` runs hold with the same size and date.

    Raises FruitsError where the images cannot be listed or there are none.
    """
    staging = layout.staging(run_id)
    if image_list is None:
        listed = _listed(spark, images)
    else:
        listed = _from_image_list(spark, images, image_list, staging.child("list.parquet"))
    if limit is not None:
        listed = listed.orderBy("path").limit(limit)
    stored = _stored(spark, listed, staging.child("listed"))
    n_listed = stored.count()
    if n_listed == 0:
        raise FruitsError(
            f"there are no images under {images.uri}; give a folder or a prefix that holds some"
        )
    if not earlier:
        return Plan(stored, n_listed, 0)
    known = _known(spark, layout, earlier, limits_option)
    new = stored.join(
        known,
        on=[stored[name].eqNullSafe(known[name]) for name in known.columns],
        how="left_anti",
    )
    planned = _stored(spark, new.select(*IMAGES.names), staging.child("planned"))
    n_planned = planned.count()
    return Plan(planned, n_planned, n_listed - n_planned)


def _listed(spark: SparkSession, images: Location) -> DataFrame:
    n_tasks = _PARTS_PER_SLOT * n_task_slots(spark)
    parts = split_listing(images, n_parts=n_tasks)
    shares = spark.range(0, len(parts), 1, min(n_tasks, len(parts)))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        forget_zip_directories()
        for batch in batches:
            for index in batch.column("id").to_pylist():
                yield from _batches(list_images(images, parts[index]))

    return shares.mapInArrow(work, IMAGES)


def _from_image_list(
    spark: SparkSession, images: Location, image_list: str, staged: Location
) -> DataFrame:
    """Bring a list to storage, batch by batch, then ask storage for the sizes it lacks."""
    filesystem = staged.filesystem
    filesystem.create_dir(staged.base.rpartition("/")[0], recursive=True)
    with pyarrow.parquet.ParquetWriter(staged.base, _ARROW_SCHEMA, filesystem=filesystem) as out:
        for batch in _batches(read_image_list(image_list, images)):
            out.write_batch(batch)
    listed = spark.read.schema(IMAGES).parquet(staged.spark_path()).dropDuplicates(["path"])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = batch.to_pylist()
            entries = [ImageEntry(r["path"], r["size_bytes"], r["modified_at"]) for r in rows]
            yield from _batches(iter(_with_sizes(images, entries)))

    return listed.mapInArrow(work, IMAGES)


def _with_sizes(images: Location, entries: list[ImageEntry]) -> list[ImageEntry]:
    unknown = [entry for entry in entries if entry.size_bytes is None]
    if not unknown:
        return entries
    infos = images.filesystem.get_file_info([f"{images.base}/{e.path}" for e in unknown])
    told = {}
    for entry, info in zip(unknown, infos, strict=True):
        modified_at = None if info.mtime_ns is None else instant_of(info.mtime_ns)
        told[entry.path] = ImageEntry(entry.path, info.size, modified_at)
    return [told.get(entry.path, entry) for entry in entries]


def _batches(entries: Iterator[ImageEntry]) -> Iterator[pa.RecordBatch]:
    while block := list(islice(entries, _ROWS_PER_BATCH)):
        columns = [
            [entry.path for entry in block],
            [label_of(entry.path) for entry in block],
            [entry.size_bytes for entry in block],
            [entry.modified_at for entry in block],
        ]
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, _ARROW_SCHEMA, strict=True)],
            schema=_ARROW_SCHEMA,
        )


def _stored(spark: SparkSession, rows: DataFrame, folder: Location) -> DataFrame:
    rows.write.parquet(folder.spark_path())
    return spark.read.schema(IMAGES).parquet(folder.spark_path())


def _known(
    spark: SparkSession,
    layout: OutputLayout,
    earlier: Sequence[RunManifest],
    limits_option: dict[str, float],
) -> DataFrame:
    """Return (path, size_bytes, modified_at) of the images that need no second look.

    What could not be read may be readable today, and what was too large may be allowed.
    """
    columns = ["path", "size_bytes", "modified_at"]
    same_limits = [run.run_id for run in earlier if run.options["limits"] == limits_option]
    rejected = current_rejected(spark, layout, earlier).where(
        (F.col("reason") != str(Reason.UNREADABLE))
        & ((F.col("reason") != str(Reason.TOO_LARGE)) | F.col("run_id").isin(same_limits))
    )
    features = current_features(spark, layout, earlier)
    return features.select(*columns).unionByName(rejected.select(*columns))
