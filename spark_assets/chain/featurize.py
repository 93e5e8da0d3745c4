"""The featurize stage: from a plan to the two tables of a run, which nobody sees yet."""

from dataclasses import dataclass

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.network import ChosenNetwork
from spark_assets.chain.plan import Plan
from spark_assets.chain.started_run import StartedRun
from spark_assets.features.engines import engine_spec
from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.on_spark import (
    TaskSettings,
    compute_outcomes,
    n_tasks_for,
    split_outcomes,
    write_outcomes,
)
from spark_assets.images.decoding import Reason
from spark_assets.locations import Location
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.output.versions import versions_in_use
from spark_assets.progress import ProgressRecord, track
from spark_assets.schemas import FEATURES, REJECTED, spark_schema
from spark_assets.session import n_task_slots

# Images that storage gave no bytes of.
_UNREAD = (str(Reason.UNREADABLE), str(Reason.TOO_LARGE))


@dataclass(frozen=True, slots=True)
class FeaturizedRun:
    """A run whose tables are written.  ``model`` is None where the output holds it already."""

    manifest: RunManifest
    model: FeatureModel | None


@dataclass(frozen=True, slots=True)
class NothingNew:
    """No image had to be looked at: ``n_known`` are in the output, unchanged."""

    n_known: int


def featurize_images(
    spark: SparkSession, run: StartedRun, plan: Plan, network: ChosenNetwork
) -> FeaturizedRun:
    """Look at every image of the plan and write features and rejected images.

    Raises FruitsError where the counts do not add up.
    """
    outcomes = run.staging.child("outcomes")
    features, rejected = run.layout.features(run.run_id), run.layout.rejected(run.run_id)
    with run.stopwatch.stage("featurize"):
        progress = _look_at_images(spark, run, plan, network.model, outcomes)
    with run.stopwatch.stage("write"):
        split_outcomes(
            spark,
            outcomes,
            features=features,
            rejected=rejected,
            n_images=plan.n_images,
            n_features=network.model.facts.n_features,
        )
        counts, bytes_read = _count(spark, plan, features, rejected)
    manifest = RunManifest(
        run_id=run.run_id,
        started_at=run.started_at,
        images_uri=run.options.images.uri,
        options=run.options.to_json(),
        feature_model=network.model.facts,
        counts=counts,
        bytes_read=bytes_read,
        seconds_by_stage=run.stopwatch.seconds,
        images_per_second=plan.n_images / run.stopwatch.seconds["featurize"],
        images_per_second_steady=progress.images_per_second_steady(),
        n_task_slots=n_task_slots(spark),
        versions=versions_in_use(spark),
    )
    return FeaturizedRun(manifest, None if network.is_kept else network.model)


def _look_at_images(
    spark: SparkSession, run: StartedRun, plan: Plan, model: FeatureModel, outcomes: Location
) -> ProgressRecord:
    options = run.options
    spec = spark.sparkContext.broadcast(engine_spec(model, options.engine))
    settings = TaskSettings(
        images=options.images,
        limits=options.limits,
        size_px=model.facts.image_size_px,
        engine_id=f"{options.engine} {model.facts.network_sha256}",
    )
    n_tasks = n_tasks_for(spark, plan.n_images)
    computed = compute_outcomes(plan.images, spec, settings, n_tasks=n_tasks)
    with track(spark, n_images=plan.n_images, n_tasks=n_tasks) as progress:
        write_outcomes(computed, outcomes)
    spec.destroy()
    return progress


def _count(
    spark: SparkSession, plan: Plan, features: Location, rejected: Location
) -> tuple[Counts, int]:
    """Count what was really written, and the bytes of the images that were read."""
    written = spark.read.schema(spark_schema(FEATURES)).parquet(features.spark_path())
    n_features, feature_bytes = written.agg(F.count("*"), F.sum("size_bytes")).first() or (0, 0)
    refused = spark.read.schema(spark_schema(REJECTED)).parquet(rejected.spark_path())
    by_reason = refused.groupBy("reason").agg(
        F.count("*").alias("n_images"), F.sum("size_bytes").alias("size_bytes")
    )
    rows = by_reason.orderBy("reason").collect()
    counts = Counts(
        n_images=plan.n_images,
        n_known=plan.n_known,
        n_features=n_features,
        n_rejected=sum(row.n_images for row in rows),
        rejected_by_reason={row.reason: row.n_images for row in rows},
    )
    rejected_bytes = sum(row.size_bytes or 0 for row in rows if row.reason not in _UNREAD)
    return counts, (feature_bytes or 0) + rejected_bytes
