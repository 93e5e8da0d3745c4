"""The diff command: what a deployment would change."""

import argparse

from operations.cdk.run_cdk import check_cdk, run_cdk
from operations.commands.build_artifacts import build_artifacts
from operations.commands.cloud_arguments import add_cdk_options, cdk_options, config_of
from spark_assets.errors import ExitCode
from spark_assets.jobs.command import Command, Kind


def run(parsed: argparse.Namespace) -> ExitCode:
    """Run ``cdk diff`` with what the stacks ship."""
    check_cdk()
    build_artifacts(config_of(parsed))
    return run_cdk("diff", *cdk_options(parsed))


COMMAND = Command(add_cdk_options, run, Kind.CLOUD, "interrupted; nothing was changed")
