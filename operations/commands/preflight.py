"""The preflight command: whether the AWS account can take a deployment.

A line for each check, on standard output, and below it the command that mends it.  A failed check
fails the command; a warning does not.
"""

import argparse
import sys

from cdk_app.config import PipelineConfig
from operations.aws.clients import aws_client
from operations.commands.cloud_arguments import add_cdk_options, add_stack, config_of
from operations.preflight.finding import Computing, closing_sentence, preflight_text
from operations.preflight.run_preflight import run_preflight
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_stack(parser, "compute", "serverless")
    add_cdk_options(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the outcome of each check."""
    preflight(config_of(parsed), parsed.stack, verbose=parsed.verbose)
    return ExitCode.DONE


def preflight(config: PipelineConfig, stack: str, *, verbose: bool = False) -> None:
    """Print the outcome of each check.  Raises FruitsError where one failed."""
    outcomes = run_preflight(config, Computing(stack), aws_client, verbose=verbose)
    option = "" if stack == Computing.COMPUTE else f" --stack {stack}"
    heading = (
        f"Checks for fruits deploy{option} in {config.region}, environment {config.environment}:"
    )
    print(preflight_text(heading, outcomes))
    if sentence := closing_sentence(outcomes):
        sys.stdout.flush()
        raise FruitsError(sentence)


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; nothing was made or changed")
