"""The synth command: the CloudFormation templates of the stacks."""

import argparse

from operations.cdk.run_cdk import check_cdk, run_cdk
from operations.commands.build_artifacts import build_artifacts
from operations.commands.cloud_arguments import add_cdk_options, cdk_options, config_of
from operations.commands.deploy import STACKS
from spark_assets.errors import ExitCode
from spark_assets.jobs.command import Command, Kind


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the template of each stack."""
    check_cdk()
    build_artifacts(config_of(parsed))
    for stack in STACKS.values():
        if code := run_cdk("synth", stack, "--exclusively", *cdk_options(parsed)):
            return code
    return ExitCode.DONE


COMMAND = Command(add_cdk_options, run, Kind.CLOUD)
