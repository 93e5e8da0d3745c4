"""The destroy command: deletes the cluster, EMR Serverless, or the buckets."""

import argparse

import botocore.exceptions

from cdk_app.config import PipelineConfig, stack_name
from operations.aws.aws_errors import is_missing_stack
from operations.aws.clients import aws_client
from operations.aws.foreign_rules import revoke_foreign_rules
from operations.aws.stop_serverless import stop_serverless
from operations.cdk.run_cdk import check_cdk, run_cdk
from operations.command_lines import fruits_command
from operations.commands.cloud_arguments import add_cdk_options, add_stack, cdk_options, config_of
from operations.commands.deploy import STACKS
from operations.commands.empty import empty
from operations.plan.destroy_plan import (
    destroy_compute_text,
    destroy_data_text,
    destroy_serverless_text,
)
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_stack(parser, "compute", "serverless", "data")
    parser.add_argument(
        "--stop", action="store_true", help="stop a run on EMR Serverless that is under way"
    )
    parser.add_argument(
        "--yes", action="store_true", help="delete the data without asking (--stack data)"
    )
    add_cdk_options(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Make way for a deletion, and delete the stack."""
    options, config = cdk_options(parsed), config_of(parsed)
    check_cdk()
    if parsed.stack == "compute":
        print(destroy_compute_text(config))
        revoke_foreign_rules(stack_name(config.environment, "compute"))
    elif parsed.stack == "serverless":
        print(destroy_serverless_text(config))
        stop_serverless(config.environment, stop=parsed.stop)
    else:
        print(destroy_data_text(config))
        _check_nothing_computes(config)
        empty(config.environment, is_confirmed=parsed.yes)
    return run_cdk("destroy", "--exclusively", "--force", STACKS[parsed.stack], *options)


def _check_nothing_computes(config: PipelineConfig) -> None:
    """Raise FruitsError while a stack uses the buckets: emptying them could not be undone."""
    if config.is_kept:
        return  # `empty` refuses in any case
    for stack, option in (("compute", ""), ("serverless", " --stack serverless")):
        name = stack_name(config.environment, stack)
        try:
            aws_client("cloudformation").describe_stacks(StackName=name)
        except botocore.exceptions.ClientError as error:
            if is_missing_stack(error):
                continue
            raise
        raise FruitsError(
            f"the stack {name} uses the buckets, so nothing was deleted; "
            f"destroy it first with: {fruits_command(f'destroy{option}', config.environment)}"
        )


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; what has begun in AWS goes on, and the same command goes on from there",
)
