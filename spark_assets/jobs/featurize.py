"""The featurize job: photographs in, a table of features and a table of rejected ones out.

spark-submit runs this file; ``fruits featurize`` is the same.
"""

import argparse
import sys

from spark_assets.chain.start_run import check_locations
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_featurize, featurize_options
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_featurize(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job with a parsed command line."""
    options = featurize_options(parsed)
    check_locations(options)
    with spark_on(options.output, "fruits featurize", parsed, may_be_new=True) as spark:
        # Loaded now, for half a second in which Spark may start.
        from spark_assets.chain.featurize_images import featurize
        from spark_assets.chain.stage_messages import log_featurized

        return log_featurized(featurize(spark, options), options)


COMMAND = Command(add_arguments, run, Kind.SPARK)

if __name__ == "__main__":
    sys.exit(COMMAND.main())
