"""The plan command: what a deployment would make, and what it costs.  AWS gets no request."""

import argparse

from operations.commands.cloud_arguments import add_cdk_options, add_stack, config_of
from operations.plan.deploy_plan import deploy_serverless_text, deploy_text
from spark_assets.errors import ExitCode
from spark_assets.jobs.command import Command, Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_stack(parser, "compute", "serverless")
    add_cdk_options(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the plan."""
    text = deploy_text if parsed.stack == "compute" else deploy_serverless_text
    print(text(config_of(parsed)))
    return ExitCode.DONE


COMMAND = Command(add_arguments, run, Kind.LOCAL)
