"""The report job: one page about what an output holds.

spark-submit runs this file; ``fruits report`` is the same.
"""

import argparse
import sys

from spark_assets.chain.make_report import report
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_report, report_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job with a parsed command line."""
    options = report_options(parsed)
    with spark_on(options.output, "fruits report", parsed) as spark:
        report(spark, options)
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.SPARK)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
