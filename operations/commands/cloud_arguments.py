"""The options of the commands that work on AWS, and the configuration that they give."""

import argparse

from cdk_app.config import Environment, PipelineConfig
from operations.cdk.configuration import read_config
from spark_assets.errors import FruitsError


def add_environment(parser: argparse.ArgumentParser) -> None:
    """Add the environment of the deployment."""
    parser.add_argument(
        "--environment",
        type=Environment,
        choices=list(Environment),
        default=Environment.TEST,
        help="environment of the deployment (default test)",
    )


def add_stack(parser: argparse.ArgumentParser, *stacks: str) -> None:
    """Add the stack, by default the first of ``stacks``."""
    parser.add_argument(
        "--stack", choices=stacks, default=stacks[0], help=f"stack (default {stacks[0]})"
    )


def add_context(parser: argparse.ArgumentParser) -> None:
    """Add values of the configuration."""
    parser.add_argument(
        "-c",
        "--context",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="override a value of cdk.json, such as n_task_nodes=8; repeatable",
    )


def add_cdk_options(parser: argparse.ArgumentParser) -> None:
    """Add environment and configuration, and after ``--`` any option of cdk."""
    add_environment(parser)
    add_context(parser)
    parser.add_argument(
        "cdk_options", nargs="*", metavar="-- CDK_OPTION", help="options passed on to cdk"
    )


def cdk_options(parsed: argparse.Namespace) -> list[str]:
    """Return the options of cdk.  Raises FruitsError for a word before them."""
    options: list[str] = parsed.cdk_options
    if options and not options[0].startswith("-"):
        raise FruitsError(f"{options[0]!r} is not an option; give options of cdk after --")
    context = [f"environment={parsed.environment}", *parsed.context]
    return [*(word for value in context for word in ("-c", value)), *options]


def config_of(parsed: argparse.Namespace) -> PipelineConfig:
    """Return the configuration that cdk reads from the same options."""
    parser = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    parser.add_argument("-c", "--context", action="append", default=[])
    known, _ = parser.parse_known_args(cdk_options(parsed))
    return read_config(known.context)
