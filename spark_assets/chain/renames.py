"""Images under another name: told by their digest, so that their features are taken over."""

import hashlib
from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.started_run import StartedRun
from spark_assets.features.on_spark import n_tasks_for
from spark_assets.images.decoding import ImageRejected
from spark_assets.images.listing import entries_in
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.s3_answers import AccessRefused
from spark_assets.schemas import FEATURES, IMAGES, OUTCOMES, spark_schema
from spark_assets.worker import forget_zip_directories

_HASHED = IMAGES.append(FEATURES.field("content_sha256"))


def find_renamed(
    spark: SparkSession, run: StartedRun, *, new: DataFrame, gone: DataFrame
) -> tuple[DataFrame, int, int]:
    """Find the new images whose content is that of one that is gone and had features.

    Only new images of the size of a gone one are read, to learn their digest.  The table has the
    columns of `schemas.IMAGES`, ``content_sha256``, and the ``held_path`` and ``held_run_id`` of
    the row of features to take over.  Also returned: how many there are, and of how many gone ones.
    """
    held = gone.where("has_features").select(
        F.col("path").alias("held_path"),
        "held_run_id",
        "held_size_bytes",
        F.col("held_sha256").alias("content_sha256"),
    )
    sizes = held.select(F.col("held_size_bytes").alias("size_bytes")).distinct()
    candidates = new.join(sizes, on="size_bytes", how="left_semi").select(*IMAGES.names)
    by_digest = held.groupBy("content_sha256").agg(
        F.min_by(F.struct("held_path", "held_run_id"), "held_path").alias("one")
    )
    hashed = _with_digests(run, candidates, n_tasks_for(spark.sparkContext, candidates.count()))
    folder = run.staging.child("renamed").spark_path()
    hashed.join(by_digest, on="content_sha256").select(*_HASHED.names, "one.*").write.parquet(
        folder
    )
    renamed = spark.read.parquet(folder)
    n = renamed.agg(F.count("*"), F.countDistinct("held_path")).first() or (0, 0)
    return renamed, n[0], n[1]


def take_over_features(features: DataFrame, renamed: DataFrame) -> DataFrame:
    """Return rows of `schemas.OUTCOMES`: the features of gone images under their new names.

    ``features`` holds the rows of earlier runs, each with its ``run_id``.
    """
    held = features.select(
        F.col("path").alias("held_path"),
        F.col("run_id").alias("held_run_id"),
        *("width", "height", "features"),
    )
    rows = renamed.join(held, on=["held_path", "held_run_id"])
    nothing = F.lit(None).cast("string")
    rows = rows.withColumns({"reason": nothing, "detail": nothing})
    return rows.select(*OUTCOMES.names)


def _with_digests(run: StartedRun, images: DataFrame, n_tasks: int) -> DataFrame:
    """Return images that can be read with their digest: `schemas.IMAGES` and content_sha256."""
    source, limits = run.options.images, run.options.limits

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        forget_zip_directories()
        reader, ahead = ImageReader(source, limits=limits), ReadAhead(n_readers=4)
        for batch in batches:
            digests = [_digest(each.content) for each in ahead.read(entries_in([batch]), reader)]
            hashed = batch.append_column("content_sha256", pa.array(digests, pa.string()))
            yield hashed.filter(hashed.column("content_sha256").is_valid()).cast(_HASHED)

    return images.repartition(n_tasks).mapInArrow(work, spark_schema(_HASHED))


def _digest(content: bytes | ImageRejected | AccessRefused) -> str | None:
    """Return the digest of an image, or None for one that cannot be read, which is told later."""
    return hashlib.sha256(content).hexdigest() if isinstance(content, bytes) else None
