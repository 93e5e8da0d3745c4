"""The options of the commands that work on AWS."""

import argparse

from cdk_app.config import Environment
from spark_assets.jobs.argument_types import positive_float


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add whose stacks a command works on."""
    parser.add_argument(
        "--environment",
        type=Environment,
        choices=list(Environment),
        default=Environment.TEST,
        help="whose stacks (default test)",
    )


def add_following(parser: argparse.ArgumentParser) -> None:
    """Add how steps are followed."""
    add_interval(parser)
    parser.add_argument("--no-follow", action="store_true", help="look once")


def add_interval(parser: argparse.ArgumentParser) -> None:
    """Add how often a command that follows steps looks at them."""
    parser.add_argument(
        "--interval-seconds",
        type=positive_float,
        default=10.0,
        metavar="S",
        help="time between two looks (default 10)",
    )
