"""The list stage: what there is to look at, as a table on storage."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa
import pyarrow.parquet
from pyspark.sql import DataFrame, SparkSession

from spark_assets.files import make_folder
from spark_assets.images.image_list import read_image_list
from spark_assets.images.listing import (
    ImageEntry,
    entries_in,
    instant_of,
    list_images,
    local_entry,
    split_listing,
)
from spark_assets.images.naming import LabelRule
from spark_assets.locations import Location
from spark_assets.schemas import IMAGES, spark_schema
from spark_assets.session import n_task_slots
from spark_assets.worker import forget_zip_directories

_PARTS_PER_SLOT = 4
_ROWS_PER_BATCH = 10_000


@dataclass(frozen=True, slots=True)
class StoredImages:
    """Images as a table on storage, so that a lost executor changes nothing.

    ``images`` has the columns of `schemas.IMAGES`, one row per path.
    """

    images: DataFrame
    n_images: int


def list_photographs(
    spark: SparkSession,
    images: Location,
    staging: Location,
    *,
    labels: LabelRule,
    small: Sequence[ImageEntry] | None = None,
    image_list: str | None = None,
    limit: int | None = None,
) -> StoredImages:
    """List the images, or those that ``image_list`` names; the first ``limit`` of them by path.

    ``small`` are those images where they have been listed already.  Raises FruitsError where they
    cannot be listed.
    """
    folder = staging.child("listed")
    if small is not None:
        _write_batches(_batches(iter(small), labels), folder)
        return StoredImages(_stored(spark, folder), len(small))
    if image_list is None:
        listed = _listed(spark, images, labels)
    else:
        listed = _from_image_list(spark, images, image_list, staging.child("list"), labels)
    if limit is not None:
        listed = listed.orderBy("path").limit(limit)
    listed.write.parquet(folder.spark_path())
    stored = _stored(spark, folder)
    return StoredImages(stored, stored.count())


def _stored(spark: SparkSession, folder: Location) -> DataFrame:
    return spark.read.schema(spark_schema(IMAGES)).parquet(folder.spark_path())


def _write_batches(batches: Iterable[pa.RecordBatch], folder: Location) -> None:
    """Write a table of images batch by batch, without Spark."""
    make_folder(folder)
    file = folder.child("part-0.parquet")
    with pyarrow.parquet.ParquetWriter(file.base, IMAGES, filesystem=file.filesystem) as out:
        for batch in batches:
            out.write_batch(batch)


def _listed(spark: SparkSession, images: Location, labels: LabelRule) -> DataFrame:
    n_tasks = _PARTS_PER_SLOT * n_task_slots(spark.sparkContext)
    parts = split_listing(images, n_parts=n_tasks)
    shares = spark.range(0, len(parts), 1, min(n_tasks, len(parts)))

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        forget_zip_directories()
        for batch in batches:
            for index in batch.column("id").to_pylist():
                yield from _batches(list_images(images, parts[index]), labels)

    return shares.mapInArrow(work, spark_schema(IMAGES))


def _from_image_list(
    spark: SparkSession,
    images: Location,
    image_list: str,
    staged: Location,
    labels: LabelRule,
) -> DataFrame:
    """Bring a list to storage, batch by batch, then ask storage for the sizes it lacks."""
    named = _batches(read_image_list(image_list, images), labels)
    _write_batches(named, staged)
    listed = _stored(spark, staged).dropDuplicates(["path"])

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            entries = list(entries_in([batch]))
            yield from _batches(iter(_with_sizes(images, entries)), labels)

    return listed.mapInArrow(work, spark_schema(IMAGES))


def _with_sizes(images: Location, entries: list[ImageEntry]) -> list[ImageEntry]:
    unknown = [entry for entry in entries if entry.size_bytes is None]
    if not unknown:
        return entries
    if images.s3 is None:
        return [
            entry
            if entry.size_bytes is not None
            else local_entry(entry.path, f"{images.base}/{entry.path}")
            for entry in entries
        ]
    infos = images.filesystem.get_file_info([f"{images.base}/{e.path}" for e in unknown])
    by_path = {}
    for entry, info in zip(unknown, infos, strict=True):
        modified_at = None if info.mtime_ns is None else instant_of(info.mtime_ns)
        by_path[entry.path] = ImageEntry(entry.path, info.size, modified_at)
    return [by_path.get(entry.path, entry) for entry in entries]


def _batches(entries: Iterator[ImageEntry], labels: LabelRule) -> Iterator[pa.RecordBatch]:
    while block := list(islice(entries, _ROWS_PER_BATCH)):
        paths = [entry.path for entry in block]
        columns = [
            paths,
            labels.labels_of(paths),
            [entry.size_bytes for entry in block],
            [entry.modified_at for entry in block],
        ]
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, IMAGES, strict=True)],
            schema=IMAGES,
        )
