"""The reduce job: a PCA of the current features, and the table projected with it.

spark-submit runs this file; ``fruits reduce`` is the same.
"""

import argparse
import sys

from spark_assets.chain.fit_and_project import reduce_features
from spark_assets.chain.stage_messages import log_reduction
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_reduce, reduce_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_reduce(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job with a parsed command line."""
    options = reduce_options(parsed)
    with spark_on(options.output, "fruits reduce", parsed) as spark:
        log_reduction(reduce_features(spark, options))
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.SPARK)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
