"""Runs on demand, as Step Functions tells them: started, found and followed to their end."""

import time
from dataclasses import dataclass

from operations.aws.clients import Client
from operations.aws.following import Clock, Sleep
from operations.aws.wording import duration, printable
from spark_assets.runtime.progress import say

_RUNNING = "RUNNING"
# The newest events of a history; a state is entered every few of them.
_N_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Execution:
    """A run on demand.  ``state`` is the one it is in or was last in; ``cause`` is of a failure."""

    arn: str
    status: str
    state: str
    cause: str

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def is_over(self) -> bool:
        return self.status != _RUNNING

    @property
    def is_complete(self) -> bool:
        return self.status == "SUCCEEDED"


def start_execution(sfn: Client, machine_arn: str) -> str:
    """Start a run; return its ARN."""
    return str(sfn.start_execution(stateMachineArn=machine_arn)["executionArn"])


def newest_execution(sfn: Client, machine_arn: str, *, running: bool = False) -> str | None:
    """Return the ARN of the newest run, or of the newest that runs; None where there is none."""
    status = {"statusFilter": _RUNNING} if running else {}
    answer = sfn.list_executions(stateMachineArn=machine_arn, maxResults=1, **status)
    return next((str(each["executionArn"]) for each in answer["executions"]), None)


def describe_execution(sfn: Client, execution_arn: str) -> Execution:
    """Return where a run is."""
    told = sfn.describe_execution(executionArn=execution_arn)
    history = sfn.get_execution_history(
        executionArn=execution_arn,
        maxResults=_N_EVENTS,
        reverseOrder=True,
        includeExecutionData=False,
    )
    entered = (event.get("stateEnteredEventDetails", {}) for event in history["events"])
    state = next((str(each["name"]) for each in entered if "name" in each), "")
    cause = told.get("cause") or told.get("error") or ""
    return Execution(execution_arn, told["status"], printable(state), printable(cause))


def follow_execution(
    sfn: Client,
    execution_arn: str,
    *,
    interval_s: float,
    only_once: bool = False,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> Execution:
    """Look every ``interval_s`` seconds until the run is over, and say each state it comes to."""
    start = clock()
    told = None
    while True:
        seen = describe_execution(sfn, execution_arn)
        if told != (seen.status, seen.state):
            told = (seen.status, seen.state)
            state = f": {seen.state}" if seen.state else ""
            say(f"{duration(clock() - start):>12}  run {seen.name} {seen.status}{state}")
        if only_once or seen.is_over:
            return seen
        sleep(interval_s)
