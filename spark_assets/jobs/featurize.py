"""The featurize job: photographs in, a table of features and a table of rejected ones out.

spark-submit runs this file; ``fruits featurize`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from spark_assets.chain.places import check_places
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_featurize, featurize_options
from spark_assets.jobs.entry import run_entry
from spark_assets.jobs.working import spark_on


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_featurize(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job as it was asked for on a command line."""
    options = featurize_options(parsed)
    check_places(options)
    with spark_on(options.output, "fruits featurize", parsed, may_be_new=True) as spark:
        # Loaded now, for half a second in which Spark may start.
        from spark_assets.chain.featurize_images import featurize
        from spark_assets.chain.stage_messages import say_featurized

        return say_featurized(featurize(spark, options), options)


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="featurize", description=__doc__)
    add_arguments(parser)
    parsed = parser.parse_args(argv)
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
