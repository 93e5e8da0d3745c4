"""The whole chain in one go: featurize, reduce, report."""

import argparse

from spark_assets.chain.start_run import check_locations
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import (
    add_common,
    add_featurize,
    add_reduce,
    add_report,
    featurize_options,
    reduce_options,
    report_options,
)
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the three jobs."""
    add_common(parser)
    add_featurize(parser)
    add_reduce(parser)
    add_report(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the chain with a parsed command line."""
    options = featurize_options(parsed)
    check_locations(options)
    to_reduce, to_report = reduce_options(parsed), report_options(parsed)
    with spark_on(options.output, "fruits run", parsed, may_be_new=True) as spark:
        # Loaded now, for half a second in which Spark may start.
        from spark_assets.chain.run_chain import run_chain

        return run_chain(spark, options, to_reduce, to_report)


COMMAND = Command(add_arguments, run, Kind.SPARK)
