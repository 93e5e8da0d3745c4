"""One featurize run, from the listing to its two tables; nothing of it is visible yet."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.network import choose_feature_model
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.plan import Plan, plan_images
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.features.engines import engine_spec
from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.on_spark import (
    Featurizing,
    featurize_images,
    n_tasks_for,
    split_outcomes,
    write_outcomes,
)
from spark_assets.files import write_bytes
from spark_assets.images.decoding import Reason
from spark_assets.images.listing import check_images_exist
from spark_assets.locations import Location
from spark_assets.output.commit import clear_staging, discard_run
from spark_assets.output.history import visible_runs
from spark_assets.output.ids import new_run_id
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.output.versions import versions_in_use
from spark_assets.progress import ProgressRecord, say, track
from spark_assets.schemas import FEATURES, REJECTED
from spark_assets.session import n_task_slots

# Images that storage gave no bytes of.
_UNREAD = (str(Reason.UNREADABLE), str(Reason.TOO_LARGE))


@dataclass(frozen=True, slots=True)
class FeaturizedRun:
    """A run whose tables are written.  ``model`` is None where the output holds it already."""

    manifest: RunManifest
    model: FeatureModel | None


def check_places(options: FeaturizeOptions) -> None:
    """Refuse what needs no Spark to be refused: images that cannot be listed, a bad output.

    Raises FruitsError.
    """
    images, output = options.images, options.output
    if images.contains(output):
        raise FruitsError(
            f"the output {output.uri} lies inside the images {images.uri}, where the next run "
            "would take the tables for images; choose an output outside"
        )
    if options.image_list is None:
        check_images_exist(images)


def featurize(spark: SparkSession, options: FeaturizeOptions) -> FeaturizedRun | int:
    """Featurize what is new or changed; return the run, or the number of known images if none is.

    Raises FruitsError where there is nothing to read, the output holds features of other images or
    of another network, or the counts do not add up.  Whatever happens before the end, nothing of
    the run stays.
    """
    layout = OutputLayout(options.output)
    earlier = [] if options.overwrite else visible_runs(layout)
    check_places(options)
    _check_earlier(options, earlier)
    run_id = new_run_id(layout)
    write_bytes(layout.staging(run_id).child("started"), b"")
    try:
        result = _featurize(spark, options, layout, run_id, earlier)
    except BaseException:
        discard_run(layout, run_id)
        raise
    clear_staging(layout, run_id)
    return result


def _featurize(
    spark: SparkSession,
    options: FeaturizeOptions,
    layout: OutputLayout,
    run_id: str,
    earlier: Sequence[RunManifest],
) -> FeaturizedRun | int:
    started_at = datetime.now(UTC).isoformat(timespec="seconds")
    stopwatch = Stopwatch()
    with ThreadPoolExecutor(1) as pool:
        # TensorFlow takes seconds to convert a network, and Spark to list.
        making = pool.submit(choose_feature_model, options, layout, earlier)
        with stopwatch.stage("list"):
            plan = plan_images(
                spark,
                options.images,
                layout=layout,
                run_id=run_id,
                image_list=options.image_list,
                limit=options.limit,
                earlier=earlier,
                limits_option=asdict(options.limits),
            )
        with stopwatch.stage("model"):
            model, is_kept = making.result()
    if model.facts.warning:
        say(f"WARNING: {model.facts.warning}")
    if plan.n_images == 0:
        return plan.n_known
    known = f", {plan.n_known} known already" if earlier else ""
    say(f"{plan.n_images} images to look at{known}")
    with stopwatch.stage("featurize"):
        record = _look_at_images(spark, options, layout, run_id, plan, model)
    with stopwatch.stage("write"):
        features, rejected = layout.features(run_id), layout.rejected(run_id)
        outcomes = layout.staging(run_id).child("outcomes")
        split_outcomes(
            spark, outcomes, features=features, rejected=rejected, n_images=plan.n_images
        )
        counts, bytes_read = _count(spark, plan, features, rejected)
    manifest = RunManifest(
        run_id=run_id,
        started_at=started_at,
        images_uri=options.images.uri,
        options=options.to_json(),
        feature_model=asdict(model.facts),
        counts=counts,
        bytes_read=bytes_read,
        seconds_by_stage=stopwatch.seconds,
        images_per_second=plan.n_images / stopwatch.seconds["featurize"],
        images_per_second_steady=record.images_per_second_steady(),
        n_task_slots=n_task_slots(spark),
        versions=versions_in_use(spark),
    )
    return FeaturizedRun(manifest, None if is_kept else model)


def _check_earlier(options: FeaturizeOptions, earlier: Sequence[RunManifest]) -> None:
    images, output = options.images, options.output
    if earlier and earlier[-1].images_uri != images.uri:
        raise FruitsError(
            f"the output {output.uri} holds features of the images in {earlier[-1].images_uri}, "
            f"and {images.uri} was given; choose another output, or start afresh with --overwrite"
        )


def _look_at_images(
    spark: SparkSession,
    options: FeaturizeOptions,
    layout: OutputLayout,
    run_id: str,
    plan: Plan,
    model: FeatureModel,
) -> ProgressRecord:
    spec = spark.sparkContext.broadcast(engine_spec(model, options.engine))
    task = Featurizing(
        images=options.images,
        limits=options.limits,
        size_px=model.facts.image_size_px,
        engine_id=f"{options.engine} {model.facts.network_sha256}",
    )
    n_tasks = n_tasks_for(spark, plan.n_images)
    outcomes = featurize_images(plan.images, spec, task, n_tasks=n_tasks)
    with track(spark, n_images=plan.n_images, n_tasks=n_tasks) as record:
        write_outcomes(outcomes, layout.staging(run_id).child("outcomes"))
    spec.destroy()
    return record


def _count(
    spark: SparkSession, plan: Plan, features: Location, rejected: Location
) -> tuple[Counts, int]:
    """Count what was really written, and the bytes of the images that were read."""
    written = spark.read.schema(FEATURES).parquet(features.spark_path())
    n_features, feature_bytes = written.agg(F.count("*"), F.sum("size_bytes")).first() or (0, 0)
    refused = spark.read.schema(REJECTED).parquet(rejected.spark_path())
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
