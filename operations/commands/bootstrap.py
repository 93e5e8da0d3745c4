"""The bootstrap command: what the CDK needs in an AWS account, once for each account."""

import argparse

from operations.cdk.run_cdk import run_cdk
from operations.commands.cloud_arguments import add_cdk_options, cdk_options
from spark_assets.errors import ExitCode
from spark_assets.jobs.command import Command, Kind


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run ``cdk bootstrap``."""
    return run_cdk("bootstrap", *cdk_options(parsed))


COMMAND = Command(add_cdk_options, run, Kind.CLOUD, "interrupted; the same command goes on")
