"""The cost command: what a run would take and cost on clusters of several sizes."""

import argparse
from enum import StrEnum

from operations.aws.price_list import read_prices
from operations.commands.serverless import add_serverless
from operations.costs.budget import check_budget
from operations.costs.comparison import compare
from operations.costs.comparison_text import comparison_text
from operations.costs.prices import Prices, load_prices
from operations.costs.runs import Work
from operations.costs.speed import load_speed
from spark_assets.errors import ExitCode
from spark_assets.features.feature_model import IMAGE_SIZE_PX, IMAGE_SIZES_PX
from spark_assets.jobs.argument_types import positive_float, positive_int


class PricesFrom(StrEnum):
    """FILE is what comes with the project; AWS asks for today's, with credentials."""

    FILE = "file"
    AWS = "aws"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--images", type=positive_int, required=True, metavar="N", help="how many photographs"
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
        help="side of the square that the network takes, in pixels (default %(default)s)",
    )
    parser.add_argument(
        "--prices",
        type=PricesFrom,
        choices=list(PricesFrom),
        default=PricesFrom.FILE,
        help="dated prices of the project, or those of AWS today (default file)",
    )
    parser.add_argument(
        "--max-cost",
        type=positive_float,
        metavar="USD",
        help="fail if a run on the default cluster costs more",
    )
    add_serverless(parser, help_text="hold --max-cost against a run on EMR Serverless instead")
    parser.add_argument("--verbose", action="store_true", help="stack traces")
    parser.set_defaults(interrupted="interrupted; nothing was made or changed")


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the comparison; raise FruitsError where the default cluster is above the cap."""
    prices, speed = _prices(parsed.prices), load_speed()
    work = Work(parsed.images, parsed.image_megapixels, parsed.image_size)
    comparison = compare(work, prices, speed)
    print(comparison_text(comparison, prices, speed))
    if parsed.max_cost is not None:
        cheapest = comparison.cheapest
        estimate = comparison.serverless if parsed.serverless else comparison.default.estimate
        where = "EMR Serverless" if parsed.serverless else "the default cluster"
        check_budget(
            estimate.usd,
            parsed.max_cost,
            what=f"a run on {where} (the cheapest cluster here is {cheapest.name} at "
            f"{cheapest.estimate.usd:.2f} USD)",
        )
    return ExitCode.DONE


def _prices(source: PricesFrom) -> Prices:
    return load_prices() if source is PricesFrom.FILE else read_prices()
