"""The whole chain in one session: featurize, reduce, report."""

import argparse

from pyspark.sql import SparkSession

from spark_assets.chain.featurize import FeaturizedRun, check_places, featurize
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import ExitCode
from spark_assets.files import read_bytes
from spark_assets.jobs.arguments import (
    ReduceOptions,
    ReportOptions,
    add_common,
    add_featurize,
    add_reduce,
    add_report,
    featurize_options,
    reduce_options,
    report_options,
)
from spark_assets.jobs.featurize import say_nothing_new, say_result
from spark_assets.jobs.reduce import reduce_and_say
from spark_assets.jobs.report import write_report
from spark_assets.output.commit import commit_run, discard_run, remove_replaced
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord
from spark_assets.progress import say
from spark_assets.session import start_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the three jobs."""
    add_common(parser)
    add_featurize(parser)
    add_reduce(parser)
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the chain as it was asked for on a command line."""
    options = featurize_options(parsed)
    check_places(options)
    reduce, report = reduce_options(parsed), report_options(parsed)
    with start_session(
        "fruits run",
        master=parsed.master,
        s3=options.output.s3,
        verbose=options.verbose,
    ) as spark:
        if options.overwrite:
            return _start_afresh(spark, options, reduce, report)
        return _add(spark, options, reduce, report)


def _add(
    spark: SparkSession, options: FeaturizeOptions, reduce: ReduceOptions, report: ReportOptions
) -> ExitCode:
    """Add what is new; each step stays done when a later one fails."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    code = ExitCode.DONE
    if isinstance(result, FeaturizedRun):
        commit_run(layout, result.manifest, result.model)
        code = say_result(result.manifest, options)
    else:
        say_nothing_new(result)
    runs = visible_runs(layout)
    record, is_new = _reduce(spark, reduce, runs)
    if is_new or isinstance(result, FeaturizedRun) or read_bytes(layout.report) is None:
        write_report(spark, report, runs, record)
    else:
        say(f"report: {layout.report.uri}")
    return code


def _start_afresh(
    spark: SparkSession, options: FeaturizeOptions, reduce: ReduceOptions, report: ReportOptions
) -> ExitCode:
    """Replace what is there once everything new is complete, and not before."""
    layout = OutputLayout(options.output)
    result = featurize(spark, options)
    assert isinstance(result, FeaturizedRun)  # no earlier run is looked at, so nothing is known
    manifest = result.manifest
    try:
        record, _ = _reduce(spark, reduce, [manifest])
        write_report(spark, report, [manifest], record)
        commit_run(layout, manifest, result.model)
    except BaseException:
        discard_run(layout, manifest.run_id)
        raise
    remove_replaced(layout, keep_model_id=record.model_id if record else None)
    return say_result(manifest, options)


def _reduce(
    spark: SparkSession, options: ReduceOptions, runs: list[RunManifest]
) -> tuple[PCARecord | None, bool]:
    """Reduce, unless no image could be used: then the report has the reasons."""
    if not any(run.counts.n_features for run in runs):
        say("fruits: no image could be used, so there is nothing to reduce; the report says why")
        return None, False
    return reduce_and_say(spark, options, runs)
