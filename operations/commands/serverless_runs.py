"""Runs on EMR Serverless: submit, status, receipt and erase with ``--serverless``."""

import argparse

from cdk_app.config import Environment
from operations.aws.clients import Client, aws_client
from operations.aws.executions import (
    Execution,
    describe_execution,
    newest_execution,
    running_executions,
    start_execution,
)
from operations.aws.following import follow
from operations.aws.job_runs import (
    JobRun,
    describe_job_run,
    driver_logs,
    job_runs_between,
    start_job,
)
from operations.aws.stacks import ServerlessStack, serverless_stack
from operations.aws.step_logs import last_lines
from operations.command_lines import fruits_command
from operations.commands.follow_steps import (
    Following,
    echo_failed_step,
    echo_last_lines,
    echo_report_command,
)
from operations.costs.receipt_costs import ServerlessRecord
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.progress import echo

STEPS = ("featurize", "reduce", "report")
_SHIPPED_WITHIN_S = 120.0


def add_serverless(parser: argparse._ActionsContainer, *, help_text: str) -> None:
    """Add the option that turns a command to EMR Serverless."""
    parser.add_argument("--serverless", action="store_true", help=help_text)


def submit_run(following: Following, *, until_end: bool) -> ExitCode:
    """Start a run, and follow it or print how to.  Raises FruitsError where one is under way."""
    stack = serverless_stack(following.environment)
    sfn = aws_client("stepfunctions")
    command = fruits_command("status --serverless", following.environment)
    if running_executions(sfn, stack.state_machine_arn):
        raise FruitsError(
            f"a run is under way, and there is one at a time; follow it with: {command}"
        )
    execution_arn = start_execution(sfn, stack.state_machine_arn)
    echo(f"started the run {execution_arn.rpartition(':')[2]} on EMR Serverless")
    if until_end:
        return _follow(sfn, execution_arn, stack, following)
    echo(f"follow it with: {command}")
    return ExitCode.DONE


def follow_newest_run(following: Following) -> ExitCode:
    """Follow the newest run to its end, and print its results or why it failed."""
    stack = serverless_stack(following.environment)
    sfn = aws_client("stepfunctions")
    return _follow(sfn, _newest_run(sfn, stack, following.environment), stack, following)


def billed_run(environment: Environment) -> ServerlessRecord:
    """Return what AWS bills for the newest run.  Raises FruitsError where that is not known yet."""
    stack = serverless_stack(environment)
    sfn = aws_client("stepfunctions")
    execution = describe_execution(sfn, _newest_run(sfn, stack, environment))
    job_runs = _job_runs(execution, stack)
    if execution.ended_at is None or not all(job_run.is_billed for job_run in job_runs):
        raise FruitsError(
            f"AWS bills the run {execution.name} once its job runs are over; "
            f"follow it with: {fruits_command('status --serverless', environment)}"
        )
    billed = tuple(job_run.billed for job_run in job_runs)
    return ServerlessRecord(execution.name, execution.started_at, execution.ended_at, billed)


def run_erasure_job(stack: ServerlessStack, *, interval_s: float) -> ExitCode:
    """Start the job of an erasure that has begun, and follow it to its end."""
    serverless = aws_client("emr-serverless")
    job_run_id = start_job(serverless, aws_client("ssm"), stack.erasure_job_parameter_name)
    job_run = follow(
        lambda: describe_job_run(serverless, stack.application_id, job_run_id),
        interval_s=interval_s,
    )
    if job_run.is_complete:
        return ExitCode.DONE
    _echo_job_failure(job_run, stack)
    return ExitCode.FAILED


def _newest_run(sfn: Client, stack: ServerlessStack, environment: Environment) -> str:
    """Return the ARN of the newest run.  Raises FruitsError where there has been none."""
    execution_arn = newest_execution(sfn, stack.state_machine_arn)
    if execution_arn is None:
        raise FruitsError(
            "there has been no run on EMR Serverless; "
            f"start one with: {fruits_command('submit --serverless', environment)}"
        )
    return execution_arn


def _follow(
    sfn: Client, execution_arn: str, stack: ServerlessStack, following: Following
) -> ExitCode:
    execution = follow(
        lambda: describe_execution(sfn, execution_arn),
        interval_s=following.interval_s,
        only_once=following.only_once,
    )
    if execution.is_complete:
        echo("the run is complete")
        echo_report_command(following.environment)
        return ExitCode.DONE
    if not execution.is_over:  # one look, as requested
        return ExitCode.DONE
    failed = _failed_job(execution, stack)
    outcome = _what_happened(execution, is_reported=failed is not None)
    echo(f"fruits: the run {execution.name} {outcome}")
    if failed is not None:
        _echo_job_failure(failed, stack, wait_s=0 if following.only_once else _SHIPPED_WITHIN_S)
    return ExitCode.FAILED


def _failed_job(execution: Execution, stack: ServerlessStack) -> JobRun | None:
    """Return the job run that a run ended with, where that did not succeed."""
    return next((each for each in _job_runs(execution, stack)[-1:] if not each.is_complete), None)


def _job_runs(execution: Execution, stack: ServerlessStack) -> list[JobRun]:
    return job_runs_between(
        aws_client("emr-serverless"),
        stack.application_id,
        STEPS,
        execution.started_at,
        execution.ended_at,
    )


def _what_happened(execution: Execution, *, is_reported: bool) -> str:
    if execution.status == "ABORTED":
        return "was stopped, and its job run is cancelled"
    if execution.status == "TIMED_OUT":
        return "took longer than run_timeout_hours allows, and its job run is cancelled"
    return f"failed: {execution.cause}" if execution.cause and not is_reported else "failed"


def _echo_job_failure(
    job_run: JobRun, stack: ServerlessStack, *, wait_s: float = _SHIPPED_WITHIN_S
) -> None:
    echo_failed_step(job_run.name, job_run.job_run_id, job_run.details)
    folder = driver_logs(stack.log_uri, stack.application_id, job_run.job_run_id)
    s3 = aws_client("s3")
    echo_last_lines(last_lines(s3, folder, job_run.name, job_run.ended_at, wait_s=wait_s))
