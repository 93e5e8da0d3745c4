"""The main path, from photographs to the report: list, plan, featurize, commit, reduce, report.

Each stage is a module of this folder; what they leave behind is in `spark_assets.output`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pyspark.sql import SparkSession

from spark_assets.chain.featurize import FeaturizedRun, NothingNew, featurize_images
from spark_assets.chain.listing import list_photographs
from spark_assets.chain.messages import (
    say_featurized,
    say_nothing_new,
    say_nothing_to_reduce,
    say_planned,
    say_reduced,
    say_report,
)
from spark_assets.chain.network import choose_network
from spark_assets.chain.options import FeaturizeOptions, ReduceOptions, ReportOptions
from spark_assets.chain.plan import leave_out_known
from spark_assets.chain.reduce import reduce_features
from spark_assets.chain.report import write_report
from spark_assets.chain.started_run import start_run
from spark_assets.errors import ExitCode
from spark_assets.files import read_bytes
from spark_assets.output.commit import commit_run, discard_run, remove_replaced
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord


def run_chain(
    spark: SparkSession,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Do the whole chain: add what is new, or replace all that is there with ``--overwrite``."""
    if options.overwrite:
        return _replace(spark, options, to_reduce, to_report)
    return _add(spark, options, to_reduce, to_report)


def _add(
    spark: SparkSession,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Add what is new; each stage stays done when a later one fails."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    code = commit(result, options)
    runs = visible_runs(layout)
    record, is_new = _reduce_if_any(spark, to_reduce, runs)
    has_report = read_bytes(layout.report) is not None
    if isinstance(result, NothingNew) and not is_new and has_report:
        say_report(layout)
    else:
        write_report(spark, to_report, runs, record)
    return code


def _replace(
    spark: SparkSession,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Replace what is there once everything new is complete, and not before."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    assert isinstance(result, FeaturizedRun)  # no earlier run is looked at, so nothing is known
    try:
        record, _ = _reduce_if_any(spark, to_reduce, [result.manifest])
        write_report(spark, to_report, [result.manifest], record)
        commit_run(layout, result.manifest, result.model)
    except BaseException:
        discard_run(layout, result.manifest.run_id)
        raise
    remove_replaced(layout, keep_model_id=record.model_id if record else None)
    return say_featurized(result.manifest, options)


def featurize(spark: SparkSession, options: FeaturizeOptions) -> FeaturizedRun | NothingNew:
    """List, plan and featurize what is new or changed.  Nothing of it is visible before `commit`.

    Raises FruitsError where there is nothing to read, the output holds features of other images or
    of another network, or the counts do not add up.  Whatever happens before the end, nothing of
    the run stays.
    """
    with start_run(options) as run:
        with ThreadPoolExecutor(1) as pool:
            # TensorFlow takes seconds to convert a network, and Spark to list: both at a time.
            network_chosen = pool.submit(choose_network, options, run.layout, run.earlier)
            with run.stopwatch.stage("list"):
                listed = list_photographs(
                    spark,
                    options.images,
                    run.staging,
                    image_list=options.image_list,
                    limit=options.limit,
                )
                plan = leave_out_known(spark, run, listed)
            with run.stopwatch.stage("model"):
                network = network_chosen.result()
        say_planned(plan, network, adds=bool(run.earlier))
        if not plan.n_images:
            return NothingNew(plan.n_known)
        return featurize_images(spark, run, plan, network)


def commit(result: FeaturizedRun | NothingNew, options: FeaturizeOptions) -> ExitCode:
    """Make a run visible, say what came of it, and return whether too many were rejected."""
    if isinstance(result, NothingNew):
        say_nothing_new(result.n_known)
        return ExitCode.DONE
    layout = OutputLayout(options.output)
    commit_run(layout, result.manifest, result.model)
    if options.overwrite:
        remove_replaced(layout, keep_model_id=None)
    return say_featurized(result.manifest, options)


def reduce(
    spark: SparkSession, options: ReduceOptions, runs: Sequence[RunManifest]
) -> tuple[PCARecord, bool]:
    """Reduce the features of runs, say what came of it; return the record and whether it is new."""
    record, is_new = reduce_features(
        spark,
        options.output,
        runs=runs,
        n_components=options.n_components,
        pca_model=options.pca_model,
    )
    say_reduced(record, is_new=is_new)
    return record, is_new


def _reduce_if_any(
    spark: SparkSession, options: ReduceOptions, runs: Sequence[RunManifest]
) -> tuple[PCARecord | None, bool]:
    """Reduce, unless no image could be used: then the report has the reasons."""
    if any(run.counts.n_features for run in runs):
        return reduce(spark, options, runs)
    say_nothing_to_reduce()
    return None, False
