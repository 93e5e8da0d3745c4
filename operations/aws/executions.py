"""Runs on EMR Serverless, as executions of the state machine."""

from dataclasses import dataclass
from datetime import datetime

from operations.aws.clients import Client
from spark_assets.text.printable import printable_line

_RUNNING = "RUNNING"
# Of a history, the newest first; every few events a state is entered.
_N_EVENTS = 100


@dataclass(frozen=True, slots=True)
class Execution:
    """A run.  ``state`` is its last state in the machine, ``cause`` that of a failure.

    ``ended_at`` is None while it runs.
    """

    arn: str
    status: str
    state: str
    cause: str
    started_at: datetime
    ended_at: datetime | None

    @property
    def name(self) -> str:
        return self.arn.rpartition(":")[2]

    @property
    def lines(self) -> list[str]:
        return [f"run {self.name} {self.status}{f': {self.state}' if self.state else ''}"]

    @property
    def is_over(self) -> bool:
        return self.status != _RUNNING

    @property
    def is_complete(self) -> bool:
        return self.status == "SUCCEEDED"


def start_execution(sfn: Client, machine_arn: str) -> str:
    """Start a run; return its ARN."""
    return str(sfn.start_execution(stateMachineArn=machine_arn)["executionArn"])


def newest_execution(sfn: Client, machine_arn: str) -> str | None:
    """Return the ARN of the newest run, or None where there has been none."""
    answer = sfn.list_executions(stateMachineArn=machine_arn, maxResults=1)
    return next((str(each["executionArn"]) for each in answer["executions"]), None)


def running_executions(sfn: Client, machine_arn: str) -> list[str]:
    """Return the ARNs of the running executions, normally one at most."""
    answer = sfn.list_executions(stateMachineArn=machine_arn, statusFilter=_RUNNING)
    return [str(each["executionArn"]) for each in answer["executions"]]


def execution_periods(
    sfn: Client, machine_arn: str, since: datetime
) -> list[tuple[datetime, datetime | None]]:
    """Return start and end (None while it runs) of the runs that ended after ``since``."""
    pages = sfn.get_paginator("list_executions").paginate(stateMachineArn=machine_arn)
    periods = []
    for each in (execution for page in pages for execution in page["executions"]):
        # The newest first, one at a time: those before have ended earlier.
        if (end := each.get("stopDate")) is not None and end < since:
            break
        periods.append((each["startDate"], end))
    return periods


def describe_execution(sfn: Client, execution_arn: str) -> Execution:
    """Return the status of a run and its last state."""
    found = sfn.describe_execution(executionArn=execution_arn)
    history = sfn.get_execution_history(
        executionArn=execution_arn,
        maxResults=_N_EVENTS,
        reverseOrder=True,
        includeExecutionData=False,
    )
    entered = (event.get("stateEnteredEventDetails", {}) for event in history["events"])
    state = next((str(each["name"]) for each in entered if "name" in each), "")
    cause = found.get("cause") or found.get("error") or ""
    return Execution(
        execution_arn,
        found["status"],
        printable_line(state),
        printable_line(cause),
        found["startDate"],
        found.get("stopDate"),
    )
