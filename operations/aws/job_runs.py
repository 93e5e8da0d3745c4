"""Job runs of EMR Serverless: those of a run of the chain, and a single one."""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.aws.clients import Client
from operations.costs.run_costs import BilledHours
from spark_assets.errors import FruitsError
from spark_assets.storage.locations import Location, parse_location
from spark_assets.text.numbers import minutes
from spark_assets.text.printable import printable_line

_OVER = ("SUCCESS", "FAILED", "CANCELLED")
# AWS rounds some times to seconds.
_ROUNDING = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class JobRun:
    """A job run.  ``details`` is EMR's message about its state.

    ``billed`` is zero until AWS reports it, after the end of the job run.
    """

    job_run_id: str
    name: str
    state: str
    details: str
    started_at: datetime | None
    ended_at: datetime | None
    billed: BilledHours
    is_billed: bool

    @property
    def is_over(self) -> bool:
        return self.state in _OVER

    @property
    def is_complete(self) -> bool:
        return self.state == "SUCCESS"

    @property
    def lines(self) -> list[str]:
        if not self.is_over or self.started_at is None or self.ended_at is None:
            return [f"{self.name} {self.state}"]
        wall_time_s = (self.ended_at - self.started_at).total_seconds()
        return [f"{self.name} {self.state} after {minutes(wall_time_s)}"]


def job_runs_between(
    serverless: Client,
    application_id: str,
    names: Sequence[str],
    started_at: datetime,
    ended_at: datetime | None,
) -> list[JobRun]:
    """Return the job runs of these names created in a period, the oldest first.

    ``ended_at`` is None for a period that goes on.
    """
    until = {} if ended_at is None else {"createdAtBefore": ended_at}
    pages = serverless.get_paginator("list_job_runs").paginate(
        applicationId=application_id, createdAtAfter=started_at - _ROUNDING, **until
    )
    found = [each for page in pages for each in page["jobRuns"] if each.get("name") in names]
    return [
        describe_job_run(serverless, application_id, each["id"])
        for each in sorted(found, key=lambda each: each["createdAt"])
    ]


def describe_job_run(serverless: Client, application_id: str, job_run_id: str) -> JobRun:
    """Return the state of a job run, and its billed hours."""
    found = serverless.get_job_run(applicationId=application_id, jobRunId=job_run_id)["jobRun"]
    billed = found.get("billedResourceUtilization", {})
    return JobRun(
        job_run_id,
        printable_line(found.get("name", "")),
        found["state"],
        printable_line(found.get("stateDetails") or ""),
        found.get("startedAt"),
        found.get("endedAt"),
        BilledHours(
            billed.get("vCPUHour", 0.0),
            billed.get("memoryGBHour", 0.0),
            billed.get("storageGBHour", 0.0),
        ),
        # A job run cancelled in the queue had no worker.
        is_billed=found["state"] in _OVER and (bool(billed) or "startedAt" not in found),
    )


def start_job(serverless: Client, ssm: Client, parameter_name: str) -> str:
    """Start the job that a parameter holds; return the id of its run.

    Raises FruitsError for a parameter that holds no job.
    """
    text = ssm.get_parameter(Name=parameter_name)["Parameter"]["Value"]
    try:
        request = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise FruitsError(
            f"the parameter {parameter_name} does not hold a job; "
            "deploy the stack again, which writes it"
        ) from error
    return str(serverless.start_job_run(**request, clientToken=uuid.uuid4().hex)["jobRunId"])


def driver_logs(log_uri: str, application_id: str, job_run_id: str) -> Location:
    """Return the folder of the driver's logs of a job run."""
    return parse_location(f"{log_uri}applications/{application_id}/jobs/{job_run_id}/SPARK_DRIVER")
