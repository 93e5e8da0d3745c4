"""The empty command: deletes all that the buckets hold, so that their stack can be deleted."""

import argparse
import sys

from cdk_app.config import Environment
from operations.aws.clients import aws_client
from operations.aws.emptying import N_BATCHES, empty_buckets
from operations.aws.stacks import DataStack, find_data_stack
from operations.commands.cloud_arguments import add_environment
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.text.printable import printable_line


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument("--yes", action="store_true", help="skip the confirmation")
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Empty the buckets of the data stack."""
    empty(parsed.environment, is_confirmed=parsed.yes)
    return ExitCode.DONE


def empty(environment: Environment, *, is_confirmed: bool) -> None:
    """Empty the buckets, after a confirmation at the terminal unless ``is_confirmed``.

    Raises FruitsError for prod, and without confirmation.
    """
    if environment is Environment.PROD:
        raise FruitsError(
            "the buckets of prod are kept, and no command of fruits empties them; empty them in "
            "the AWS console"
        )
    stack = find_data_stack(environment)
    if stack is None:
        echo(f"nothing is deployed in the {environment} environment, so there is nothing to empty")
        return
    if not is_confirmed:
        _ask(stack)
    n_deleted = empty_buckets(aws_client("s3", n_connections=N_BATCHES), stack.bucket_names)
    echo(
        f"{n_deleted} objects deleted, every version counted; S3 ships its access logs hours "
        "later: if the stack cannot be deleted because of them, give the same command again"
    )


def _ask(stack: DataStack) -> None:
    """Raise FruitsError unless the answer at the terminal is yes."""
    if not sys.stdin.isatty():
        raise FruitsError("no terminal for the confirmation; give --yes to delete without it")
    echo(f"all objects, with all their versions, will be deleted for good from {stack.name}:")
    for bucket in stack.bucket_names:
        echo(f"  {printable_line(bucket)}")
    print("delete them? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise FruitsError("nothing was deleted; answer y to delete")


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; the same command deletes the rest")
