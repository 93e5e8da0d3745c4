"""The main path, from photographs to the report: list, plan, featurize, commit, reduce, report.

Each stage is a module of this folder; what they leave behind is in `spark_assets.output`.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from spark_assets.chain.featurize import FeaturizedRun, NothingNew, featurize_images
from spark_assets.chain.listing import list_photographs
from spark_assets.chain.messages import (
    say_featurized,
    say_network,
    say_nothing_new,
    say_nothing_to_reduce,
    say_planned,
    say_reduced,
    say_report,
)
from spark_assets.chain.network import choose_network
from spark_assets.chain.options import FeaturizeOptions, ReduceOptions, ReportOptions
from spark_assets.chain.plan import plan_run
from spark_assets.chain.reduce import Reduction, reduce_features
from spark_assets.chain.report import make_report, write_report
from spark_assets.chain.started_run import start_run
from spark_assets.errors import ExitCode
from spark_assets.output.commit import commit_run, discard_run, remove_replaced
from spark_assets.output.history import n_current_features, visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, pca_records
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.files import read_bytes


def run_chain(
    spark: GetSpark,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Do the whole chain: add what is new, or replace all that is there with ``--overwrite``."""
    if options.overwrite:
        return _replace(spark, options, to_reduce, to_report)
    return _add(spark, options, to_reduce, to_report)


def _add(
    spark: GetSpark,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Add what is new; each stage stays done when a later one fails."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    code = commit(result, options)
    runs = visible_runs(layout)
    reduction = _reduce_if_any(spark, to_reduce, runs)
    has_new = isinstance(result, FeaturizedRun) or (reduction and reduction.has_work_done)
    if not has_new and read_bytes(layout.report) is not None:
        say_report(layout)
    else:
        write_report(layout, make_report(spark, to_report, runs, _record(reduction)))
    return code


def _replace(
    spark: GetSpark,
    options: FeaturizeOptions,
    to_reduce: ReduceOptions,
    to_report: ReportOptions,
) -> ExitCode:
    """Replace what is there once everything new is complete, and not before."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    assert isinstance(result, FeaturizedRun)  # no earlier run is looked at, so nothing is known
    try:
        reduction = _reduce_if_any(spark, to_reduce, [result.manifest])
        page = make_report(spark, to_report, [result.manifest], _record(reduction))
        commit_run(layout, result.manifest, result.model)
    except BaseException:
        discard_run(layout, result.manifest.run_id)
        raise
    write_report(layout, page)
    remove_replaced(layout)
    return say_featurized(result.manifest, options)


def featurize(spark: GetSpark, options: FeaturizeOptions) -> FeaturizedRun | NothingNew:
    """List, plan and featurize what is new or changed.  Nothing of it is visible before `commit`.

    Raises FruitsError where there is nothing to read, the output holds features of other images or
    of another network, or the counts do not add up.  Whatever happens before the end, nothing of
    the run stays.
    """
    with start_run(options) as run:
        with ThreadPoolExecutor(1) as pool:
            # TensorFlow takes seconds to convert a network, and Spark to start: both at a time.
            network_chosen = pool.submit(choose_network, options, run.layout, run.earlier)
            with run.stopwatch.stage("list"):
                listed = list_photographs(options)
            with run.stopwatch.stage("plan"):
                plan = plan_run(run, listed)
            if plan.has_work:
                with run.stopwatch.stage("start"):
                    spark()
            with run.stopwatch.stage("model"):
                network = network_chosen.result()
        say_network(network)
        if not plan.has_work:
            return NothingNew(plan.n_known)
        say_planned(plan, adds=bool(run.earlier))
        return featurize_images(spark, run, plan, network)


def commit(result: FeaturizedRun | NothingNew, options: FeaturizeOptions) -> ExitCode:
    """Make a run visible, say what came of it, and return whether too many were rejected."""
    if isinstance(result, NothingNew):
        say_nothing_new(result.n_known)
        return ExitCode.DONE
    layout = OutputLayout(options.output)
    try:
        commit_run(layout, result.manifest, result.model)
    except BaseException:
        discard_run(layout, result.manifest.run_id)
        raise
    if options.overwrite:
        remove_replaced(layout)
    return say_featurized(result.manifest, options)


def reduce(spark: GetSpark, options: ReduceOptions, runs: Sequence[RunManifest]) -> Reduction:
    """Reduce the features of runs, and say what came of it."""
    reduction = reduce_features(spark, options, runs)
    say_reduced(reduction, n_current_features(runs))
    return reduction


def report(spark: GetSpark, options: ReportOptions) -> None:
    """Make the page about what an output holds."""
    layout = OutputLayout(options.output)
    runs = visible_runs(layout)
    records = pca_records(layout, [run.run_id for run in runs])
    write_report(layout, make_report(spark, options, runs, records[-1] if records else None))


def _reduce_if_any(
    spark: GetSpark, options: ReduceOptions, runs: Sequence[RunManifest]
) -> Reduction | None:
    """Reduce, unless no image could be used: then the report has the reasons."""
    if n_current_features(runs):
        return reduce(spark, options, runs)
    say_nothing_to_reduce()
    return None


def _record(reduction: Reduction | None) -> PCARecord | None:
    return None if reduction is None else reduction.record
