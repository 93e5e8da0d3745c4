"""Stop of an EMR Serverless application, so that it can be deleted."""

from dataclasses import dataclass

from operations.aws.clients import Client
from operations.aws.following import Sleep, follow
from spark_assets.text.printable import printable_line

_RUNNING = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "QUEUED", "CANCELLING")
# An application that was never started can be deleted like one that is stopped.
_STOPPED = ("CREATED", "STOPPED", "TERMINATED")
_INTERVAL_S = 5.0
_LIMIT_S = 600.0


@dataclass(frozen=True, slots=True)
class _RunningJobs:
    """Job runs that are not over: name and state by id."""

    by_id: dict[str, tuple[str, str]]

    @property
    def lines(self) -> list[str]:
        return [f"job {name} {state}" for name, state in self.by_id.values()]

    @property
    def is_over(self) -> bool:
        return not self.by_id


@dataclass(frozen=True, slots=True)
class _Application:
    application_id: str
    state: str

    @property
    def lines(self) -> list[str]:
        return [f"application {self.application_id} {self.state}"]

    @property
    def is_over(self) -> bool:
        return self.state in _STOPPED


def cancel_job_runs(
    serverless: Client, application_id: str, *, cancel: bool, sleep: Sleep
) -> str | None:
    """Cancel running job runs if ``cancel`` and wait for them; return the name of one left."""
    running = _running_jobs(serverless, application_id)
    if cancel and running.by_id:
        for job_run_id, (_, state) in running.by_id.items():
            if state != "CANCELLING":
                serverless.cancel_job_run(applicationId=application_id, jobRunId=job_run_id)
        running = follow(
            lambda: _running_jobs(serverless, application_id),
            interval_s=_INTERVAL_S,
            limit_s=_LIMIT_S,
            sleep=sleep,
        )
    return next((name for name, _ in running.by_id.values()), None)


def stop_application(serverless: Client, application_id: str, *, sleep: Sleep) -> bool:
    """Stop an application and wait for it; return whether it stopped in time."""
    if _describe(serverless, application_id).is_over:
        return True
    serverless.stop_application(applicationId=application_id)
    return follow(
        lambda: _describe(serverless, application_id),
        interval_s=_INTERVAL_S,
        limit_s=_LIMIT_S,
        sleep=sleep,
    ).is_over


def _running_jobs(serverless: Client, application_id: str) -> _RunningJobs:
    pages = serverless.get_paginator("list_job_runs").paginate(
        applicationId=application_id, states=list(_RUNNING)
    )
    return _RunningJobs(
        {
            each["id"]: (printable_line(each.get("name") or each["id"]), each["state"])
            for page in pages
            for each in page["jobRuns"]
        }
    )


def _describe(serverless: Client, application_id: str) -> _Application:
    application = serverless.get_application(applicationId=application_id)["application"]
    return _Application(application_id, application["state"])
