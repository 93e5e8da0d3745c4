"""The cost command: time and cost of a run, on the cluster and on EMR Serverless."""

import argparse

from cdk_app.config import ConfigError
from operations.cdk.context import read_config
from operations.commands.serverless import add_serverless
from operations.costs.cluster_costs import cluster_shape
from operations.costs.estimate_text import estimate_text
from operations.costs.run_costs import (
    Work,
    check_budget,
    estimate_run,
    estimate_serverless_run,
    serverless_capacity,
)
from spark_assets.errors import ExitCode, FruitsError
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
        help="size of a photograph (default 12, a telephone's)",
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
        help="fail if a run on the cluster is estimated to cost more",
    )
    add_serverless(parser, help_text="compare --max-cost with a run on EMR Serverless instead")
    parser.add_argument(
        "-c",
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another configuration than that of cdk.json, such as n_task_nodes=8",
    )


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the estimate; raise FruitsError if it exceeds --max-cost."""
    work = Work(parsed.images, parsed.image_megapixels, parsed.image_size)
    try:
        config = read_config(parsed.context)
    except ConfigError as error:
        raise FruitsError(str(error)) from error
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
