"""The report job: one page about what an output holds.

spark-submit runs this file; ``fruits report`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from spark_assets.chain.make_report import report
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_report, report_options
from spark_assets.jobs.entry import run_entry
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job as it was asked for on a command line."""
    options = report_options(parsed)
    with spark_on(options.output, "fruits report", parsed) as spark:
        report(spark, options)
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="report", description=__doc__)
    add_arguments(parser)
    parsed = parser.parse_args(argv)
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
