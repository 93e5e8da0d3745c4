"""The cost command: time and cost of a run, on the cluster and on EMR Serverless."""

import argparse

from operations.cdk.configuration import read_config
from operations.commands.cloud_arguments import add_context
from operations.commands.serverless_runs import add_serverless
from operations.costs.cluster_costs import cluster_shape
from operations.costs.estimate_text import estimate_text
from operations.costs.run_costs import (
    Work,
    check_budget,
    estimate_run,
    estimate_serverless_run,
    serverless_capacity,
)
from spark_assets.errors import ExitCode
from spark_assets.features.feature_model import IMAGE_SIZE_PX, IMAGE_SIZES_PX
from spark_assets.jobs.argument_types import positive_float, positive_int
from spark_assets.jobs.command import Command, Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--images", type=positive_int, required=True, metavar="N", help="number of photographs"
    )
    parser.add_argument(
        "--image-megapixels",
        type=positive_float,
        default=12.0,
        metavar="MP",
        help="mean size of a photograph in megapixels (default 12, a phone camera)",
    )
    parser.add_argument(
        "--image-size",
        type=int,
        choices=IMAGE_SIZES_PX,
        default=IMAGE_SIZE_PX,
        help="side of the network's input in pixels (default %(default)s)",
    )
    parser.add_argument(
        "--max-cost",
        type=positive_float,
        metavar="USD",
        help="fail if the estimated cost of a run on the cluster is higher",
    )
    add_serverless(parser, help_text="compare --max-cost with a run on EMR Serverless instead")
    add_context(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the estimate; raise FruitsError if it exceeds --max-cost."""
    work = Work(parsed.images, parsed.image_megapixels, parsed.image_size)
    config = read_config(parsed.context)
    print(estimate_text(work, config))
    if parsed.max_cost is not None:
        if parsed.serverless:
            usd = estimate_serverless_run(work, serverless_capacity(config)).usd
        else:
            usd = estimate_run(work, cluster_shape(config)).usd
        place = "EMR Serverless" if parsed.serverless else "the cluster"
        check_budget(usd, parsed.max_cost, what=f"a run on {place}")
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)
