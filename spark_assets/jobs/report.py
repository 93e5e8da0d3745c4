"""The report job: one page about what an output holds.

spark-submit runs this file; ``fruits report`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.files import write_bytes
from spark_assets.jobs.arguments import ReportOptions, add_common, add_report, report_options
from spark_assets.jobs.entry import run_entry
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, pca_records
from spark_assets.progress import say
from spark_assets.report.collecting import collect_report_data
from spark_assets.report.page import render
from spark_assets.session import start_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job as it was asked for on a command line."""
    options = report_options(parsed)
    layout = OutputLayout(options.output)
    with start_session(
        "fruits report",
        master=parsed.master,
        s3=options.output.s3,
        verbose=options.verbose,
    ) as spark:
        records = pca_records(layout)
        write_report(spark, options, visible_runs(layout), records[-1] if records else None)
    return ExitCode.DONE


def write_report(
    spark: SparkSession,
    options: ReportOptions,
    runs: Sequence[RunManifest],
    record: PCARecord | None,
) -> None:
    """Make the page from runs and their PCA, and say where it is."""
    layout = OutputLayout(options.output)
    if not runs:
        raise FruitsError(
            f"there is no finished run in {options.output.uri} to report on; make one with: "
            "fruits run --images URI --output URI"
        )
    data = collect_report_data(spark, layout, runs, record, max_points=options.max_points)
    write_bytes(layout.report, render(data).encode())
    say(f"report: {layout.report.uri}")


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    add_arguments(parser)
    parsed = parser.parse_args(argv)
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
