"""The featurize job: photographs in, a table of features and a table of rejected ones out.

spark-submit runs this file; ``fruits featurize`` is the same.
"""

import argparse
import sys
from collections.abc import Sequence

from pyspark.sql import SparkSession

from spark_assets.chain.featurize import FeaturizedRun, check_places, featurize
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.errors import ExitCode
from spark_assets.jobs.arguments import add_common, add_featurize, featurize_options
from spark_assets.jobs.entry import run_entry
from spark_assets.output.commit import commit_run, remove_replaced
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.progress import say
from spark_assets.session import start_session


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this job."""
    add_common(parser)
    add_featurize(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run the job as it was asked for on a command line."""
    options = featurize_options(parsed)
    check_places(options)
    with start_session(
        "fruits featurize",
        master=parsed.master,
        s3=options.output.s3,
        verbose=options.verbose,
    ) as spark:
        return featurize_and_commit(spark, options)


def featurize_and_commit(spark: SparkSession, options: FeaturizeOptions) -> ExitCode:
    """Featurize, make the run visible, and say what came of it."""
    result = featurize(spark, options)
    if not isinstance(result, FeaturizedRun):
        say_nothing_new(result)
        return ExitCode.DONE
    layout = OutputLayout(options.output)
    commit_run(layout, result.manifest, result.model)
    if options.overwrite:
        remove_replaced(layout, keep_model_id=None)
    return say_result(result.manifest, options)


def say_nothing_new(n_known: int) -> None:
    """Say that every image was known."""
    say(f"nothing new: all {n_known} images are known and unchanged")


def say_result(manifest: RunManifest, options: FeaturizeOptions) -> ExitCode:
    """Say what a run did, and return whether too many images were rejected."""
    counts = manifest.counts
    reasons = ", ".join(f"{n} {reason}" for reason, n in counts.rejected_by_reason.items())
    say(
        f"{counts.n_images} images = {counts.n_features} features + {counts.n_rejected} rejected"
        f"{f' ({reasons})' if reasons else ''}, {manifest.images_per_second:.1f} images/s, "
        f"run {manifest.run_id}"
    )
    if counts.rejected_share <= options.max_rejected:
        return ExitCode.DONE
    say(
        f"fruits: {counts.n_rejected} of {counts.n_images} images were rejected, more than the "
        f"share of {options.max_rejected:g} that --max-rejected allows; the tables are written, "
        f"and {OutputLayout(options.output).rejected(manifest.run_id).uri} says why"
    )
    return ExitCode.TOO_MANY_REJECTED


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and return the exit code."""
    parser = argparse.ArgumentParser(prog="featurize", description=__doc__)
    add_arguments(parser)
    parsed = parser.parse_args(argv)
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
