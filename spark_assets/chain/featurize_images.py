"""The featurize stage: list, plan, featurize new and changed images, commit."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from spark_assets.chain.image_plan import NoChange, Plan, plan_run
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.remove_rows import keep_columns, remove_rows
from spark_assets.chain.stage_messages import log_plan, log_warning
from spark_assets.chain.start_run import StartedRun, start_run
from spark_assets.errors import FruitsError
from spark_assets.features.engines import engine_spec
from spark_assets.features.feature_model import (
    FeatureModel,
    load_facts,
    load_feature_model,
    model_files,
)
from spark_assets.features.in_threads import featurize_in_threads, n_threads
from spark_assets.features.on_spark import featurize_on_spark
from spark_assets.features.partition import WRITTEN_TABLES, RunSettings, Written, refused_sentence
from spark_assets.images.image_list import list_from_file
from spark_assets.images.listing import list_images
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
    Output,
)
from spark_assets.runtime.distribute import is_for_spark
from spark_assets.runtime.progress import ProgressRecord
from spark_assets.runtime.spark_context import GetSpark, is_requested, n_task_slots
from spark_assets.storage.files import make_folder, to_json

# --overwrite replaces them.
_REPLACED = (FEATURES, REJECTED, REDUCED, PCA_MODEL, FEATURE_MODEL, CLASSIFIER, FINDINGS, RUNS)


def featurize(spark: GetSpark, options: FeaturizeOptions) -> RunManifest | NoChange:
    """Update features and rejected images from the source, in one commit.

    Raises FruitsError where there are no images, the output holds features of other images or of
    another network, or the counts do not add up.  A failure before the commit changes nothing.
    """
    with start_run(options) as run:
        with ThreadPoolExecutor(1) as pool:
            # TensorFlow takes seconds to convert a network: meanwhile the images are listed.
            choice = pool.submit(choose_network, options, run.output, run.previous)
            with run.stopwatch.stage("list"):
                if options.image_list is None:
                    listed = list_images(options.images)
                else:
                    listed = list_from_file(options.image_list, options.images)
            with run.stopwatch.stage("plan"):
                plan = plan_run(run, listed.slice(0, options.limit))
            with run.stopwatch.stage("model"):
                network = choice.result()
        log_warning(network.model)
        if not plan.has_work:
            return NoChange(plan.n_known)
        log_plan(plan, is_update=run.previous is not None)
        featurized = _featurize(spark, run, plan, network.model)
        manifest = _stage(spark, run, plan, network, featurized)
        commit(run.change)
        return manifest


@dataclass(frozen=True, slots=True)
class _Network:
    """The network of a run, and whether the output holds it already."""

    model: FeatureModel
    is_kept: bool


def choose_network(
    options: FeaturizeOptions, output: Output, previous: RunManifest | None
) -> _Network:
    """Load the network of the output, or make the requested one.

    Raises FruitsError where it cannot be had, or is another than that of the ``previous`` run.
    """
    if previous is None:
        return _Network(options.model.obtain(verbose=options.verbose), is_kept=False)
    used = previous.feature_model
    folder = output.folder(FEATURE_MODEL)
    facts = load_facts(folder)
    is_kept = facts is not None and facts.network_sha256 == used.network_sha256
    if is_kept and options.model.is_met_by(used):
        return _Network(load_feature_model(folder), is_kept=True)
    # A network that cannot be the same is refused before TensorFlow takes seconds to make it.
    if not options.model.is_ruled_out_by(used):
        model = options.model.obtain(verbose=options.verbose)
        if model.facts.network_sha256 == used.network_sha256:
            return _Network(model, is_kept)
    raise FruitsError(
        f"the output {options.output.uri} holds features of another network "
        f"({used.weights_source}, alpha {used.alpha:g}, {used.image_size_px} px), and features of "
        "two networks cannot be compared; choose another output, give the same network, or start "
        "afresh with --overwrite"
    )


@dataclass(frozen=True, slots=True)
class _Featurized:
    """The files that were written, the progress, the images at a time, the versions in use."""

    written: Written
    progress: ProgressRecord
    n_slots: int
    versions: dict[str, str]


def _featurize(spark: GetSpark, run: StartedRun, plan: Plan, model: FeatureModel) -> _Featurized:
    """Featurize in tasks of Spark, or in threads where images are few and no master is given.

    Raises FruitsError where S3 refuses access to an image: --max-rejected is for bad photographs.
    """
    options = run.options
    erased = read_denylist(run.output)
    settings = RunSettings(
        run_id=run.run_id,
        images=options.images,
        folder=run.change.staging,
        limits=options.limits,
        labels=options.labels,
        size_px=model.facts.image_size_px,
        is_erased=erased.holds if erased else None,
    )
    for table in WRITTEN_TABLES:
        make_folder(settings.folder.child(table))
    spec = engine_spec(model, options.engine)
    if not plan.n_images or not (is_requested(spark) or is_for_spark(plan.n_images)):
        with run.stopwatch.stage("featurize"):
            written, progress = featurize_in_threads(plan.images, spec, settings)
        n_slots, versions = n_threads(), versions_in_use()
    else:
        with run.stopwatch.stage("start"):
            context = spark()
        with run.stopwatch.stage("featurize"):
            written, progress = featurize_on_spark(context, plan.images, spec, settings)
        n_slots, versions = n_task_slots(context), versions_in_use(context)
    if written.refused:
        raise FruitsError(refused_sentence(written.refused, plan.n_images, options.images))
    return _Featurized(written, progress, n_slots, versions)


def _stage(
    spark: GetSpark, run: StartedRun, plan: Plan, network: _Network, featurized: _Featurized
) -> RunManifest:
    """Add to the change of a run all that the commit is to do, and its manifest."""
    options, change = run.options, run.change
    written, seconds = featurized.written, run.stopwatch.seconds
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
        counts=Counts(
            n_images=plan.n_images,
            n_known=plan.n_known,
            n_features=written.n_features,
            n_rejected=written.rejected.total(),
            rejected_by_reason=dict(sorted(written.rejected.items())),
            n_changed=plan.n_changed,
            n_deleted=plan.n_deleted,
        ),
        bytes_read=written.n_bytes,
        seconds_by_stage=seconds,
        images_per_second=plan.n_images / max(seconds["featurize"], 0.001),
        images_per_second_steady=featurized.progress.images_per_second_steady(),
        n_task_slots=featurized.n_slots,
        versions=featurized.versions,
    )
    change.put(manifest_path(run.run_id), to_json(manifest.to_json()))
    return manifest
