"""The featurize stage: list, plan, look at what is new or changed, commit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from spark_assets.chain.listing import list_photographs
from spark_assets.chain.network import ChosenNetwork, choose_network
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.plan import NothingNew, Plan, plan_run
from spark_assets.chain.remove_rows import keep_columns, remove_rows
from spark_assets.chain.stage_messages import log_plan, say_network
from spark_assets.chain.started_run import StartedRun, start_run
from spark_assets.errors import FruitsError
from spark_assets.features.engines import engine_spec
from spark_assets.features.feature_model import FeatureModel, model_files
from spark_assets.features.here import featurize_here, n_threads_here
from spark_assets.features.on_spark import featurize_on_spark
from spark_assets.features.partition import WRITTEN_TABLES, RunSettings, Written, refused_sentence
from spark_assets.output.commit import commit
from spark_assets.output.erasure_denylist import read_denylist
from spark_assets.output.manifest import Counts, RunManifest, manifest_path, versions_in_use
from spark_assets.output.output import (
    CLASSIFIER,
    FEATURE_MODEL,
    FEATURES,
    FINDINGS,
    PCA_MODEL,
    REDUCED,
    REJECTED,
    REPORT,
    RUNS,
)
from spark_assets.runtime.distribute import is_for_spark
from spark_assets.runtime.progress import ProgressRecord
from spark_assets.runtime.spark_context import GetSpark, is_asked_for, n_task_slots
from spark_assets.storage.files import make_folder, to_json

# What a run with --overwrite begins afresh.
_REPLACED = (FEATURES, REJECTED, REDUCED, PCA_MODEL, FEATURE_MODEL, CLASSIFIER, FINDINGS, RUNS)


def featurize(spark: GetSpark, options: FeaturizeOptions) -> RunManifest | NothingNew:
    """Bring features and rejected images up to date with the source, in one commit.

    Raises FruitsError where there is nothing to read, the output holds features of other images or
    of another network, or the counts do not add up.  Whatever happens before the commit, nothing of
    the run stays.
    """
    with start_run(options) as run:
        with ThreadPoolExecutor(1) as pool:
            # TensorFlow takes seconds to convert a network: meanwhile the images are listed.
            network_chosen = pool.submit(choose_network, options, run.output, run.previous)
            with run.stopwatch.stage("list"):
                listed = list_photographs(options)
            with run.stopwatch.stage("plan"):
                plan = plan_run(run, listed)
            with run.stopwatch.stage("model"):
                network = network_chosen.result()
        say_network(network)
        if not plan.has_work:
            return NothingNew(plan.n_known)
        log_plan(plan, adds=run.previous is not None)
        looked = _look(spark, run, plan, network.model)
        manifest = _stage(spark, run, plan, network, looked)
        commit(run.change)
        return manifest


@dataclass(frozen=True, slots=True)
class _Looked:
    """What came of looking at images, how fast, how many at a time, and with what."""

    written: Written
    progress: ProgressRecord
    n_slots: int
    versions: dict[str, str]


def _look(spark: GetSpark, run: StartedRun, plan: Plan, model: FeatureModel) -> _Looked:
    """Featurize images on Spark, or in this process where they are few and Spark is not asked for.

    Raises FruitsError where S3 refuses access to an image: how many may be rejected is a matter of
    bad photographs only.
    """
    options = run.options
    settings = RunSettings(
        run_id=run.run_id,
        images=options.images,
        folder=run.change.staging,
        limits=options.limits,
        labels=options.labels,
        size_px=model.facts.image_size_px,
        is_erased=erased.holds if (erased := read_denylist(run.output)) else None,
    )
    for table in WRITTEN_TABLES:
        make_folder(settings.folder.child(table))
    spec = engine_spec(model, options.engine)
    if not plan.n_images or not (is_asked_for(spark) or is_for_spark(plan.n_images)):
        with run.stopwatch.stage("featurize"):
            written, progress = featurize_here(plan.images, spec, settings)
        n_slots, versions = n_threads_here(), versions_in_use()
    else:
        with run.stopwatch.stage("start"):
            context = spark()
        with run.stopwatch.stage("featurize"):
            written, progress = featurize_on_spark(context, plan.images, spec, settings)
        n_slots, versions = n_task_slots(context), versions_in_use(context)
    if written.refused:
        raise FruitsError(refused_sentence(written.refused, plan.n_images, options.images))
    return _Looked(written, progress, n_slots, versions)


def _stage(
    spark: GetSpark, run: StartedRun, plan: Plan, network: ChosenNetwork, looked: _Looked
) -> RunManifest:
    """Stage all that the run changes beside what was written of its images."""
    options, change = run.options, run.change
    written, seconds = looked.written, run.stopwatch.seconds
    with run.stopwatch.stage("write"):
        if options.overwrite:
            for folder in _REPLACED:
                change.remove_folder(folder)
            change.remove([REPORT])
        remove_rows(spark, run.output.after(change), change, plan.outdated)
        change.add(written.files)
        if not network.is_kept:
            change.put_folder(FEATURE_MODEL, model_files(network.model))
        keep_columns(run.output, change)
    manifest = RunManifest(
        run_id=run.run_id,
        started_at=run.started_at,
        images_uri=options.images.uri,
        options=options.to_json(),
        feature_model=network.model.facts,
        counts=_counts(plan, written),
        bytes_read=written.n_bytes,
        seconds_by_stage=seconds,
        images_per_second=plan.n_images / max(seconds["featurize"], 0.001),
        images_per_second_steady=looked.progress.images_per_second_steady(),
        n_task_slots=looked.n_slots,
        versions=looked.versions,
    )
    change.put(manifest_path(run.run_id), to_json(manifest.to_json()))
    return manifest


def _counts(plan: Plan, written: Written) -> Counts:
    return Counts(
        n_images=plan.n_images,
        n_known=plan.n_known,
        n_features=written.n_features,
        n_rejected=written.rejected.total(),
        rejected_by_reason=dict(sorted(written.rejected.items())),
        n_changed=plan.n_changed,
        n_deleted=plan.n_deleted,
    )
