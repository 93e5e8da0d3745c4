"""What submit and status do with ``--on-demand``: a run that makes its own cluster and ends it."""

import argparse

from operations.aws.clients import aws_client
from operations.aws.executions import (
    Execution,
    follow_execution,
    newest_execution,
    start_execution,
)
from operations.aws.stacks import OnDemandStack, on_demand_stack
from operations.aws.wording import printable
from operations.command_lines import fruits_command
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.progress import say


def add_on_demand(parser: argparse.ArgumentParser, *, help_text: str) -> None:
    """Add the option that turns a command to runs on demand."""
    parser.add_argument("--on-demand", action="store_true", help=help_text)


def submit_on_demand(parsed: argparse.Namespace) -> ExitCode:
    """Start a run, and say how to follow it.  Raises FruitsError where one is under way."""
    stack = on_demand_stack(parsed.environment)
    sfn = aws_client("stepfunctions")
    follow = f"{fruits_command('status', parsed.environment)} --on-demand"
    if newest_execution(sfn, stack.state_machine_arn, running=True) is not None:
        raise FruitsError(
            f"a run is under way, and there is one at a time; follow it with: {follow}"
        )
    execution_arn = start_execution(sfn, stack.state_machine_arn)
    say(f"started the run {execution_arn.rpartition(':')[2]}, which ends its cluster by itself")
    say(f"follow it with: {follow}")
    return ExitCode.DONE


def status_on_demand(parsed: argparse.Namespace) -> ExitCode:
    """Follow the newest run, and say what came of it."""
    stack = on_demand_stack(parsed.environment)
    sfn = aws_client("stepfunctions")
    execution_arn = newest_execution(sfn, stack.state_machine_arn)
    if execution_arn is None:
        raise FruitsError(
            "there has been no run on demand; "
            f"start one with: {fruits_command('submit', parsed.environment)} --on-demand"
        )
    seen = follow_execution(
        sfn, execution_arn, interval_s=parsed.interval_seconds, only_once=parsed.no_follow
    )
    return _result(seen, stack)


def _result(seen: Execution, stack: OnDemandStack) -> ExitCode:
    if seen.is_complete:
        say("the run is complete, and its cluster has been ended")
        return ExitCode.DONE
    if not seen.is_over:  # looked at once, by request
        return ExitCode.DONE
    say(f"fruits: the run {seen.name} {_what_happened(seen)}")
    say(f"the logs of its steps come within minutes, below {printable(stack.log_uri)}")
    return ExitCode.FAILED


def _what_happened(seen: Execution) -> str:
    if seen.status == "ABORTED":
        return (
            "was aborted, so that nothing ended its cluster; it ends by itself when it has been "
            "idle, and the next run deletes the endpoints"
        )
    if seen.status == "TIMED_OUT":
        return "took too long even to clean up; look for its cluster and endpoints in the console"
    return f"failed{f': {seen.cause}' if seen.cause else ''}"
