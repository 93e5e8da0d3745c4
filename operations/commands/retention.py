"""The retention command: how long things are kept, as configured and as the buckets have it."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.exceptions

from cdk_app.retention_days import EXPIRY_RULE, OLD_VERSIONS_RULE, Retention, retention_lines
from operations.aws.clients import Client, aws_client
from operations.aws.stacks import DataStack, find_data_stack
from operations.cdk.configuration import read_config
from operations.command_lines import fruits_command
from operations.commands.cloud_arguments import add_environment
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.s3 import error_code
from spark_assets.text.printable import printable_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--deployed",
        action="store_true",
        help="compare with the lifecycle rules of the deployed buckets",
    )
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Print the setting; with ``--deployed``, fail where a bucket's lifecycle is another."""
    kept = read_config([f"environment={parsed.environment}"]).kept
    for what, days in retention_lines(kept):
        print(f"{what}: {days}")
    if not parsed.deployed:
        return ExitCode.DONE
    stack = find_data_stack(parsed.environment)
    if stack is None:
        raise FruitsError(f"nothing is deployed in the {parsed.environment} environment")
    if differences := list(_differences(aws_client("s3"), stack, kept)):
        raise FruitsError(
            f"the buckets keep things otherwise: {'; '.join(differences)}; bring them up to it "
            f"with: {fruits_command('deploy', parsed.environment)}"
        )
    echo("the buckets keep things as configured")
    return ExitCode.DONE


def _differences(client: Client, stack: DataStack, kept: Retention) -> Iterator[str]:
    """Yield what the lifecycle of a bucket says otherwise than the setting."""
    for bucket in stack.bucket_names:
        rules = _rules(client, bucket)
        old = (
            rules.get(OLD_VERSIONS_RULE, {})
            .get("NoncurrentVersionExpiration", {})
            .get("NoncurrentDays")
        )
        if old != kept.old_versions:
            yield f"{printable_line(bucket)} keeps old versions for {_days(old)}"
        expires = rules.get(EXPIRY_RULE, {}).get("Expiration", {}).get("Days")
        wanted = _wanted(stack, bucket, kept)
        if expires != (wanted or None):
            yield f"{printable_line(bucket)} keeps objects for {_days(expires)}"


def _wanted(stack: DataStack, bucket: str, kept: Retention) -> int:
    if bucket == stack.images.bucket:
        return kept.photographs
    return 0 if bucket == stack.output.bucket else kept.logs


def _rules(client: Client, bucket: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        answer = client.get_bucket_lifecycle_configuration(Bucket=bucket)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "NoSuchLifecycleConfiguration":
            raise
        return {}
    return {rule["ID"]: rule for rule in answer["Rules"] if rule["Status"] == "Enabled"}


def _days(days: int | None) -> str:
    return "ever" if days is None else f"{days} days"


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; nothing was made or changed")
