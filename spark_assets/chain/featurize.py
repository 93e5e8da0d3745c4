"""The featurize stage: from a plan to the tables of a run, which nobody sees yet."""

from collections import Counter
from dataclasses import dataclass

import pyarrow as pa
from pyspark import SparkContext

from spark_assets.chain.network import ChosenNetwork
from spark_assets.chain.plan import Plan
from spark_assets.chain.started_run import StartedRun
from spark_assets.chain.writing import keep_files, make_table_folders, write_gone
from spark_assets.errors import FruitsError
from spark_assets.features.engines import engine_spec
from spark_assets.features.feature_model import FeatureModel
from spark_assets.features.on_spark import (
    TaskSettings,
    featurize_on_spark,
    n_tasks_for,
    refused_sentence,
)
from spark_assets.images.decoding import Reason
from spark_assets.output.erased import load_erased
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.output.small_tables import count_rows, open_table
from spark_assets.output.versions import versions_in_use
from spark_assets.runtime.parallel import is_for_spark
from spark_assets.runtime.progress import ProgressRecord, track
from spark_assets.runtime.spark_context import n_task_slots
from spark_assets.runtime.spark_on_demand import GetSpark, release
from spark_assets.storage.schemas import CHANGES, Outcome

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
    spark: GetSpark, run: StartedRun, plan: Plan, network: ChosenNetwork
) -> FeaturizedRun:
    """Featurize the images of the plan; write features, rejected images and what has changed.

    Raises FruitsError where the counts do not add up, and where S3 refuses access to an image: how
    many may be rejected is a matter of bad photographs only.
    """
    context = spark()
    n_slots, versions = n_task_slots(context), versions_in_use(context)
    progress = ProgressRecord(0)
    with run.stopwatch.stage("featurize"):
        if plan.n_images:
            progress = _featurize_on_spark(context, run, plan, network.model)
    n_rows = plan.n_images + sum(earlier.counts.n_images for earlier in run.earlier)
    if not is_for_spark(n_rows):
        release(spark)  # the driver does all that is left, up to the report
    with run.stopwatch.stage("write"):
        write_gone(run, plan)
        counts, bytes_read = _count(run, plan)
    seconds = run.stopwatch.seconds
    manifest = RunManifest(
        run_id=run.run_id,
        started_at=run.started_at,
        images_uri=run.options.images.uri,
        options=run.options.to_json(),
        feature_model=network.model.facts,
        counts=counts,
        bytes_read=bytes_read,
        seconds_by_stage=seconds,
        images_per_second=plan.n_images / max(seconds["featurize"], 0.001),
        images_per_second_steady=progress.images_per_second_steady(),
        n_task_slots=n_slots,
        versions=versions,
    )
    return FeaturizedRun(manifest, None if network.is_kept else network.model)


def _featurize_on_spark(
    context: SparkContext, run: StartedRun, plan: Plan, model: FeatureModel
) -> ProgressRecord:
    options = run.options
    spec = context.broadcast(engine_spec(model, options.engine))
    settings = TaskSettings(
        images=options.images,
        limits=options.limits,
        labels=options.labels,
        size_px=model.facts.image_size_px,
        engine_id=f"{options.engine} {model.facts.network_sha256}",
        is_erased=erased.holds if (erased := load_erased(run.layout)) else None,
    )
    n_tasks, folders = n_tasks_for(context, plan.n_images), make_table_folders(run)
    with track(context, n_images=plan.n_images, n_tasks=n_tasks) as progress:
        result = featurize_on_spark(context, plan.images, spec, settings, folders, n_tasks=n_tasks)
    spec.destroy()
    if result.refused:
        raise FruitsError(refused_sentence(result.refused, plan.n_images, options.images))
    keep_files(folders, result.files)
    return progress


def _count(run: StartedRun, plan: Plan) -> tuple[Counts, int]:
    """Count what was really written, and the bytes of the images that were read."""
    changes = open_table(run.layout.changes(run.run_id), CHANGES)
    n_images: Counter[tuple[str, str | None]] = Counter()
    n_bytes: Counter[str | None] = Counter()
    for batch in changes.to_batches(columns=["outcome", "reason", "size_bytes"]):
        groups = pa.Table.from_batches([batch]).group_by(["outcome", "reason"])
        for row in groups.aggregate([([], "count_all"), ("size_bytes", "sum")]).to_pylist():
            n_images[row["outcome"], row["reason"]] += row["count_all"]
            n_bytes[row["reason"]] += row["size_bytes_sum"] or 0
    rejected = {
        reason: n
        for (outcome, reason), n in sorted(n_images.items(), key=str)
        if outcome == Outcome.REJECTED and reason is not None
    }
    counts = Counts(
        n_images=plan.n_images,
        n_known=plan.n_known,
        n_features=count_rows(run.layout.features(run.run_id)),
        n_rejected=sum(rejected.values()),
        rejected_by_reason=rejected,
        n_changed=plan.n_changed,
        n_gone=n_images[str(Outcome.GONE), None],
        n_outdated=plan.n_outdated,
    )
    return counts, sum(n for reason, n in n_bytes.items() if reason not in _UNREAD)
