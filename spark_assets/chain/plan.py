"""The plan of a run: what is listed against what the output holds.

An image is new, changed, known or gone.  Known ones need no second look; what a run has to do for
the others stands in one table on storage, `Comparison`, of which each later stage reads its part.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.another_look import column_wants_another_look
from spark_assets.chain.listing import StoredImages
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.renames import find_renamed
from spark_assets.chain.started_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.images.listing import ImageEntry, entries_in
from spark_assets.output.history import current_state
from spark_assets.output.small_tables import is_small
from spark_assets.schemas import IMAGES, Outcome

# More than this share of the images does not go by itself: a disk is not mounted, a prefix wrong.
_SHARE_THAT_MAY_GO = 0.5


class _Kind(StrEnum):
    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run has to do.

    ``images`` are those to featurize, at hand or as a table of `schemas.IMAGES`; ``renamed`` those
    that take over the features of one that is gone, as `find_renamed` has them; ``gone`` paths, at
    hand or as a column.  ``n_changed`` of the first two had been looked at before.  ``n_outdated``
    rows of features no longer count.
    """

    images: DataFrame | Sequence[ImageEntry]
    n_to_featurize: int
    n_known: int
    n_changed: int = 0
    renamed: DataFrame | None = None
    n_renamed: int = 0
    gone: DataFrame | Sequence[str] | None = None
    n_gone: int = 0
    n_outdated: int = 0

    @property
    def n_images(self) -> int:
        """Images that give a row of features or of rejected ones."""
        return self.n_to_featurize + self.n_renamed

    @property
    def is_at_hand(self) -> bool:
        """Whether the driver has all of it, and no part is a table of Spark's."""
        return not any(isinstance(x, DataFrame) for x in (self.images, self.renamed, self.gone))

    @property
    def has_work(self) -> bool:
        """Whether the output will not be as it was."""
        return bool(self.n_images or self.n_gone)


def plan_first(
    images: DataFrame | Sequence[ImageEntry], n_images: int, options: FeaturizeOptions
) -> Plan:
    """Look at all images, where no earlier run holds any.  Raises FruitsError where none is."""
    if not n_images:
        raise FruitsError(
            f"there are no images under {options.images.uri}; give a folder or a prefix that holds "
            "some"
        )
    return Plan(images, n_images, n_known=0)


def plan_more(spark: SparkSession, run: StartedRun, listed: StoredImages) -> Plan:
    """Compare what is listed with what the ``earlier`` runs hold.

    Raises FruitsError where so many images are gone that the source is rather another one.
    """
    folder = run.staging.child("compared").spark_path()
    _compared(spark, run, listed.images).write.parquet(folder)
    compared = spark.read.parquet(folder)
    n, n_outdated = _count(compared)
    n_known = listed.n_images - n[_Kind.NEW] - n[_Kind.CHANGED]
    to_look_at = compared.where(F.col("kind") != str(_Kind.GONE)).select(*IMAGES.names)
    gone = compared.where(F.col("kind") == str(_Kind.GONE))
    n_to_featurize, renamed, n_renamed, n_moved = n[_Kind.NEW] + n[_Kind.CHANGED], None, 0, 0
    if n[_Kind.GONE] and n[_Kind.NEW]:
        new = compared.where(F.col("kind") == str(_Kind.NEW)).select(*IMAGES.names)
        renamed, n_renamed, n_moved = find_renamed(spark, run, new=new, gone=gone)
        to_look_at = to_look_at.join(renamed.select("path"), on="path", how="left_anti")
        to_look_at = to_look_at.select(*IMAGES.names)
        n_to_featurize -= n_renamed
    refuse_mass_removal(run.options, n[_Kind.GONE] - n_moved, n_known + n[_Kind.CHANGED] + n_moved)
    return Plan(
        images=_at_hand(to_look_at) if is_small(n_to_featurize) else to_look_at,
        n_to_featurize=n_to_featurize,
        n_known=n_known,
        n_changed=n[_Kind.CHANGED],
        renamed=renamed if n_renamed else None,
        n_renamed=n_renamed,
        gone=gone.select("path") if n[_Kind.GONE] else None,
        n_gone=n[_Kind.GONE],
        n_outdated=n_outdated,
    )


def _compared(spark: SparkSession, run: StartedRun, listed: DataFrame) -> DataFrame:
    """Return what is not known: `schemas.IMAGES`, with what is held of it and a ``kind``."""
    state = current_state(spark, run.layout, run.earlier)
    held = state.select(
        "path",
        F.col("size_bytes").alias("held_size_bytes"),
        F.col("modified_at").alias("held_modified_at"),
        F.col("content_sha256").alias("held_sha256"),
        F.col("run_id").alias("held_run_id"),
        (F.col("outcome") == str(Outcome.FEATURES)).alias("has_features"),
        column_wants_another_look(run).alias("wants_look"),
    )
    is_partial = run.options.is_partial
    # An image that a part of the source does not hold is not gone: it was not asked for.
    both = listed.withColumn("is_listed", F.lit(True)).join(
        held, on="path", how="left" if is_partial else "full_outer"
    )
    is_unchanged = F.col("size_bytes").eqNullSafe(F.col("held_size_bytes")) & F.col(
        "modified_at"
    ).eqNullSafe(F.col("held_modified_at"))
    kind = (
        F.when(F.col("is_listed").isNull(), str(_Kind.GONE))
        .when(F.col("held_run_id").isNull(), str(_Kind.NEW))
        .when(~is_unchanged | F.col("wants_look"), str(_Kind.CHANGED))
    )
    return both.withColumn("kind", kind).where(F.col("kind").isNotNull()).drop("wants_look")


def _count(compared: DataFrame) -> tuple[dict[str, int], int]:
    """Return images by kind, and how many rows of features no longer count."""
    n_with_features = F.count_if(F.coalesce(F.col("has_features"), F.lit(False)))
    rows = compared.groupBy("kind").agg(F.count("*"), n_with_features).collect()
    counts = {str(kind): 0 for kind in _Kind} | {row[0]: row[1] for row in rows}
    return counts, sum(row[2] for row in rows)


def _at_hand(images: DataFrame) -> Sequence[ImageEntry]:
    return list(entries_in(images.toArrow().to_batches()))


def refuse_mass_removal(options: FeaturizeOptions, n_gone: int, n_left: int) -> None:
    """Raise FruitsError where so many images are gone that nobody may have wanted it."""
    n_held = n_gone + n_left
    if options.confirm_missing or n_gone <= _SHARE_THAT_MAY_GO * n_held:
        return
    raise FruitsError(
        f"{n_gone} of the {n_held} images that {options.output.uri} holds are no longer in "
        f"{options.images.uri}; check that it is whole (a disk that is not mounted looks like "
        "this), then give --confirm-missing to leave them out, or --keep-missing to keep them"
    )
