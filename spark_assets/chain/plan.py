"""The plan of a run: the images listed, less those that earlier runs hold unchanged."""

from dataclasses import asdict, dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.listing import StoredImages, store_images
from spark_assets.chain.started_run import StartedRun
from spark_assets.images.decoding import Reason
from spark_assets.output.history import current_features, current_rejected
from spark_assets.schemas import IMAGES


@dataclass(frozen=True, slots=True)
class Plan:
    """The images that a run looks at, as `StoredImages` has them, and how many it need not."""

    images: DataFrame
    n_images: int
    n_known: int


def leave_out_known(spark: SparkSession, run: StartedRun, listed: StoredImages) -> Plan:
    """Leave out what the ``earlier`` runs hold with the same size and date."""
    if not run.earlier:
        return Plan(listed.images, listed.n_images, 0)
    known = _known(spark, run)
    new = listed.images.join(
        known,
        on=[listed.images[name].eqNullSafe(known[name]) for name in known.columns],
        how="left_anti",
    )
    planned = store_images(spark, new.select(*IMAGES.names), run.staging.child("planned"))
    return Plan(planned.images, planned.n_images, listed.n_images - planned.n_images)


def _known(spark: SparkSession, run: StartedRun) -> DataFrame:
    """Return (path, size_bytes, modified_at) of the images that need no second look.

    What could not be read may be readable today, and what was too large may be allowed.
    """
    columns = ["path", "size_bytes", "modified_at"]
    limits = asdict(run.options.limits)
    same_limits = [each.run_id for each in run.earlier if each.options["limits"] == limits]
    rejected = current_rejected(spark, run.layout, run.earlier).where(
        (F.col("reason") != str(Reason.UNREADABLE))
        & ((F.col("reason") != str(Reason.TOO_LARGE)) | F.col("run_id").isin(same_limits))
    )
    features = current_features(spark, run.layout, run.earlier)
    return features.select(*columns).unionByName(rejected.select(*columns))
