"""Steps on the cluster followed to their end; how results and failures are printed."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from cdk_app.config import Environment
from operations.aws.clients import aws_client
from operations.aws.clusters import (
    NOTEBOOK,
    Step,
    StepsProgress,
    ended_sentence,
    read_progress,
)
from operations.aws.following import follow
from operations.aws.notebooks import page_uri, results_uri
from operations.aws.stacks import ComputeStack, find_data_stack
from operations.aws.step_logs import SHIPPED_WITHIN_S, StepLog, last_lines
from operations.command_lines import fruits_command
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.argument_types import positive_float
from spark_assets.output.output import REPORT
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import parse_location
from spark_assets.text.printable import printable

_INTERVAL_S = 10.0


@dataclass(frozen=True, slots=True)
class Following:
    """How steps of an environment are followed: to their end, or with one look at their state."""

    environment: Environment
    interval_s: float = _INTERVAL_S
    only_once: bool = False


def add_interval(parser: argparse.ArgumentParser) -> None:
    """Add how often the state of steps is read."""
    parser.add_argument(
        "--interval-seconds",
        type=positive_float,
        default=_INTERVAL_S,
        metavar="S",
        help="seconds between two requests for the state (default %(default)g)",
    )


def follow_steps(stack: ComputeStack, step_ids: Sequence[str], following: Following) -> ExitCode:
    """Follow steps to their end, and print where the results or the reasons of a failure are."""
    emr = aws_client("emr")
    followed = follow(
        lambda: read_progress(emr, stack.cluster_id, step_ids),
        interval_s=following.interval_s,
        only_once=following.only_once,
    )
    if followed.is_complete:
        _echo_results(followed, following.environment)
        return ExitCode.DONE
    if followed.failed is not None:
        _echo_failure(followed.failed, stack, wait_s=0 if following.only_once else SHIPPED_WITHIN_S)
        return ExitCode.FAILED
    if not followed.cluster.takes_steps:
        raise FruitsError(ended_sentence(followed.cluster, following.environment))
    if not followed.is_over:  # one look, as requested
        return ExitCode.DONE
    raise FruitsError(
        "the steps were cancelled, and none of them failed; "
        f"submit them again with: {fruits_command('submit', following.environment)}"
    )


def echo_report_command(environment: Environment) -> None:
    """Print the command that copies the report."""
    if (data := find_data_stack(environment)) is not None:
        uri = data.output.child(REPORT).uri
        echo(f"copy the report with: aws s3 cp {printable(uri)} report.html")


def echo_failed_step(name: str, step_id: str, reason: str) -> None:
    """Print that a step has failed, with the reason that EMR gives."""
    echo(f"fruits: the step {name} ({step_id}) failed{f': {reason}' if reason else ''}")


def echo_last_lines(log: StepLog) -> None:
    """Print the end of a log, or where it will be."""
    if log.lines is None:
        echo(f"its log has not come yet; it will be in {printable(log.uri)}")
        return
    echo(f"the last lines of its log, {printable(log.uri)}:")
    for line in log.lines:
        echo(f"  {line}")


def _echo_results(followed: StepsProgress, environment: Environment) -> None:
    echo("all steps are complete")
    if any(step.name != NOTEBOOK for step in followed.steps):
        echo_report_command(environment)
    for page in filter(None, map(page_uri, followed.steps)):
        echo(f"copy the notebook with: aws s3 cp {page} {page.rpartition('/')[2]}")


def _echo_failure(step: Step, stack: ComputeStack, *, wait_s: float) -> None:
    echo_failed_step(step.name, step.step_id, step.failure)
    folder = parse_location(f"{stack.log_uri}{stack.cluster_id}/steps/{step.step_id}")
    s3 = aws_client("s3")
    echo_last_lines(last_lines(s3, folder, step.name, step.ended_at, wait_s=wait_s))
    if (results := results_uri(step)) is not None:
        echo(f"the notebook as far as it came is in {results}/")
