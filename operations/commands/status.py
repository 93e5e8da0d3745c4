"""The status command: follows the steps of the chain to their end."""

import argparse
from collections.abc import Sequence

from cdk_app.config import Environment
from operations.aws.clients import aws_client
from operations.aws.clusters import (
    NOTEBOOK,
    Step,
    describe_cluster,
    ended_sentence,
    newest_steps,
)
from operations.aws.first_run import first_run_lines
from operations.aws.following import Followed, follow
from operations.aws.notebooks import page_uri, results_uri
from operations.aws.stacks import ComputeStack, compute_stack
from operations.aws.step_logs import SHIPPED_WITHIN_S, last_lines
from operations.aws.submit_steps import read_definitions
from operations.command_lines import fruits_command
from operations.commands.arguments import add_environment, add_following
from operations.commands.outcomes import say_failure, say_last_words, say_where_the_report_is
from operations.commands.serverless import add_serverless, status_serverless
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import parse_location


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_following(parser)
    parser.add_argument(
        "--first-run",
        action="store_true",
        help="what only an account tells of a first run, one line for each question",
    )
    add_serverless(parser, help_text="follow the newest run on EMR Serverless")
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Follow the newest steps, and say what came of them."""
    if parsed.first_run:
        for line in first_run_lines(parsed.environment, aws_client):
            echo(line)
        return ExitCode.DONE
    if parsed.serverless:
        return status_serverless(parsed)
    stack = compute_stack(parsed.environment)
    emr = aws_client("emr")
    definitions = read_definitions(aws_client("ssm"), stack.steps_parameter_name)
    step_ids = newest_steps(emr, stack.cluster_id, [step.name for step in definitions])
    if not step_ids:
        cluster = describe_cluster(emr, stack.cluster_id)
        if not cluster.takes_steps:
            raise FruitsError(ended_sentence(cluster, parsed.environment))
        raise FruitsError(
            f"the cluster {stack.cluster_id} has no steps of the chain; "
            f"submit them with: {fruits_command('submit', parsed.environment)}"
        )
    return follow_steps(stack, step_ids, parsed)


def follow_steps(
    stack: ComputeStack, step_ids: Sequence[str], parsed: argparse.Namespace
) -> ExitCode:
    """Follow steps to their end, and say what came of them."""
    followed = follow(
        aws_client("emr"),
        stack.cluster_id,
        step_ids,
        interval_s=parsed.interval_seconds,
        only_once=parsed.no_follow,
    )
    return _result(followed, stack, parsed)


def _result(followed: Followed, stack: ComputeStack, parsed: argparse.Namespace) -> ExitCode:
    environment: Environment = parsed.environment
    if followed.is_complete:
        echo("all steps are complete")
        if any(step.name != NOTEBOOK for step in followed.steps):
            say_where_the_report_is(environment)
        for page in filter(None, map(page_uri, followed.steps)):
            echo(f"copy the notebook with: aws s3 cp {page} {page.rpartition('/')[2]}")
        return ExitCode.DONE
    if followed.failed is not None:
        _say_failure(followed.failed, stack, wait_s=0 if parsed.no_follow else SHIPPED_WITHIN_S)
        if (results := results_uri(followed.failed)) is not None:
            echo(f"the notebook as far as it came is in {results}/")
        return ExitCode.FAILED
    if not followed.cluster.takes_steps:
        raise FruitsError(ended_sentence(followed.cluster, environment))
    if not followed.is_over:  # looked at once, by request
        return ExitCode.DONE
    raise FruitsError(
        "the steps were cancelled, and none of them failed; "
        f"submit them again with: {fruits_command('submit', environment)}"
    )


def _say_failure(step: Step, stack: ComputeStack, *, wait_s: float) -> None:
    say_failure(step.name, step.step_id, step.failure)
    folder = parse_location(f"{stack.log_uri}{stack.cluster_id}/steps/{step.step_id}")
    s3 = aws_client("s3")
    say_last_words(last_lines(s3, folder, step.name, step.ended_at, wait_s=wait_s))


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; the steps run on, and the same command follows them again",
)
