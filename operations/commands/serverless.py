"""What submit, status, receipt and erase do with ``--serverless``: on EMR Serverless."""

import argparse

from operations.aws.clients import Client, aws_client
from operations.aws.executions import (
    Execution,
    describe_execution,
    follow_execution,
    newest_execution,
    running_executions,
    start_execution,
)
from operations.aws.job_runs import (
    JobRun,
    driver_logs,
    follow_job_run,
    job_runs_between,
    start_job,
)
from operations.aws.stacks import ServerlessStack, serverless_stack
from operations.aws.step_logs import last_lines
from operations.command_lines import fruits_command
from operations.commands.outcomes import say_failure, say_last_words, say_where_the_report_is
from operations.costs.receipt_costs import ServerlessRecord
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.progress import echo

STEPS = ("featurize", "reduce", "report")
_SHIPPED_WITHIN_S = 120.0


def add_serverless(parser: argparse._ActionsContainer, *, help_text: str) -> None:
    """Add the option that turns a command to EMR Serverless."""
    parser.add_argument("--serverless", action="store_true", help=help_text)


def submit_serverless(parsed: argparse.Namespace) -> ExitCode:
    """Start a run, and follow it or say how to.  Raises FruitsError where one is under way."""
    stack = serverless_stack(parsed.environment)
    sfn = aws_client("stepfunctions")
    follow = fruits_command("status --serverless", parsed.environment)
    if running_executions(sfn, stack.state_machine_arn):
        raise FruitsError(
            f"a run is under way, and there is one at a time; follow it with: {follow}"
        )
    execution_arn = start_execution(sfn, stack.state_machine_arn)
    echo(f"started the run {execution_arn.rpartition(':')[2]} on EMR Serverless")
    if parsed.follow:
        return _follow(sfn, execution_arn, stack, parsed)
    echo(f"follow it with: {follow}")
    return ExitCode.DONE


def status_serverless(parsed: argparse.Namespace) -> ExitCode:
    """Follow the newest run, and say what came of it."""
    stack = serverless_stack(parsed.environment)
    sfn = aws_client("stepfunctions")
    return _follow(sfn, _newest_run(sfn, stack, parsed), stack, parsed)


def billed_run(parsed: argparse.Namespace) -> ServerlessRecord:
    """Return what AWS bills for the newest run.  Raises FruitsError where that is not known yet."""
    stack = serverless_stack(parsed.environment)
    sfn = aws_client("stepfunctions")
    seen = describe_execution(sfn, _newest_run(sfn, stack, parsed))
    job_runs = _job_runs(seen, stack)
    if seen.ended_at is None or not all(job_run.is_billed for job_run in job_runs):
        raise FruitsError(
            f"AWS tells what it bills for the run {seen.name} once its job runs are over; "
            f"follow it with: {fruits_command('status --serverless', parsed.environment)}"
        )
    return ServerlessRecord(
        seen.name, seen.started_at, seen.ended_at, tuple(job_run.billed for job_run in job_runs)
    )


def run_erasure_job(stack: ServerlessStack, parsed: argparse.Namespace) -> ExitCode:
    """Start the job of an erasure that has begun, and follow it to its end."""
    serverless = aws_client("emr-serverless")
    job_run_id = start_job(serverless, aws_client("ssm"), stack.erasure_job_parameter_name)
    seen = follow_job_run(
        serverless, stack.application_id, job_run_id, interval_s=parsed.interval_seconds
    )
    if seen.is_complete:
        return ExitCode.DONE
    _say_job_failure(seen, stack)
    return ExitCode.FAILED


def _newest_run(sfn: Client, stack: ServerlessStack, parsed: argparse.Namespace) -> str:
    """Return the ARN of the newest run.  Raises FruitsError where there has been none."""
    execution_arn = newest_execution(sfn, stack.state_machine_arn)
    if execution_arn is None:
        raise FruitsError(
            "there has been no run on EMR Serverless; "
            f"start one with: {fruits_command('submit --serverless', parsed.environment)}"
        )
    return execution_arn


def _follow(
    sfn: Client, execution_arn: str, stack: ServerlessStack, parsed: argparse.Namespace
) -> ExitCode:
    seen = follow_execution(
        sfn, execution_arn, interval_s=parsed.interval_seconds, only_once=parsed.no_follow
    )
    if seen.is_complete:
        echo("the run is complete")
        say_where_the_report_is(parsed.environment)
        return ExitCode.DONE
    if not seen.is_over:  # looked at once, by request
        return ExitCode.DONE
    failed = _failed_job(seen, stack)
    echo(f"fruits: the run {seen.name} {_what_happened(seen, is_told=failed is not None)}")
    if failed is not None:
        _say_job_failure(failed, stack, wait_s=0 if parsed.no_follow else _SHIPPED_WITHIN_S)
    return ExitCode.FAILED


def _failed_job(seen: Execution, stack: ServerlessStack) -> JobRun | None:
    """Return the job run that a run ended with, where that did not succeed."""
    return next((each for each in _job_runs(seen, stack)[-1:] if not each.is_complete), None)


def _job_runs(seen: Execution, stack: ServerlessStack) -> list[JobRun]:
    return job_runs_between(
        aws_client("emr-serverless"), stack.application_id, STEPS, seen.started_at, seen.ended_at
    )


def _what_happened(seen: Execution, *, is_told: bool) -> str:
    if seen.status == "ABORTED":
        return "was stopped, and its job run is cancelled"
    if seen.status == "TIMED_OUT":
        return "took longer than run_timeout_hours allows, and its job run is cancelled"
    return f"failed: {seen.cause}" if seen.cause and not is_told else "failed"


def _say_job_failure(
    job_run: JobRun, stack: ServerlessStack, *, wait_s: float = _SHIPPED_WITHIN_S
) -> None:
    say_failure(job_run.name, job_run.job_run_id, job_run.details)
    folder = driver_logs(stack.log_uri, stack.application_id, job_run.job_run_id)
    s3 = aws_client("s3")
    say_last_words(last_lines(s3, folder, job_run.name, job_run.ended_at, wait_s=wait_s))
