"""The reduce job: a PCA of the current features, and the table projected with it.

spark-submit runs this file; ``fruits reduce`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.stage_messages import say_reduced
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_reduce, reduce_options
from spark_assets.jobs.entry import run_entry
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_reduce(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job as it was asked for on a command line."""
    options = reduce_options(parsed)
    with spark_on(options.output, "fruits reduce", parsed) as spark:
        say_reduced(reduce_features(spark, options))
    return ExitCode.DONE


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="reduce", description=__doc__)
    add_arguments(parser)
    parsed = parser.parse_args(argv)
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
