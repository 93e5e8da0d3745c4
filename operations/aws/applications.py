"""An application of EMR Serverless, brought to the state in which it can be deleted."""

from operations.aws.clients import Client
from operations.aws.following import Sleep, watch
from spark_assets.text.printable import printable_line

_UNDER_WAY = ("SUBMITTED", "PENDING", "SCHEDULED", "RUNNING", "QUEUED", "CANCELLING")
# A deletion takes one that was never started as it takes one that is stopped.
_AT_REST = ("CREATED", "STOPPED", "TERMINATED")
_INTERVAL_S = 5.0
_LIMIT_S = 600.0


def cancel_job_runs(
    serverless: Client, application_id: str, *, cancel: bool, sleep: Sleep
) -> str | None:
    """Cancel the job runs that are under way, if that may be, and wait until they are.

    Returns the name of one that is left.
    """
    running = _under_way(serverless, application_id)
    if cancel and running:
        for job_run_id, told in running.items():
            if not told.endswith("CANCELLING"):
                serverless.cancel_job_run(applicationId=application_id, jobRunId=job_run_id)
        running = watch(
            lambda: _under_way(serverless, application_id),
            lambda seen: [f"job {told}" for told in seen.values()],
            lambda seen: not seen,
            interval_s=_INTERVAL_S,
            limit_s=_LIMIT_S,
            sleep=sleep,
        )
    return next((told.partition(" ")[0] for told in running.values()), None)


def stop_application(serverless: Client, application_id: str, *, sleep: Sleep) -> bool:
    """Stop an application and wait until it is; return whether it came to that in time."""
    if _state(serverless, application_id) in _AT_REST:
        return True
    serverless.stop_application(applicationId=application_id)
    state = watch(
        lambda: _state(serverless, application_id),
        lambda seen: [f"application {application_id} {seen}"],
        lambda seen: seen in _AT_REST,
        interval_s=_INTERVAL_S,
        limit_s=_LIMIT_S,
        sleep=sleep,
    )
    return state in _AT_REST


def _under_way(serverless: Client, application_id: str) -> dict[str, str]:
    """Return the name and the state of each job run that is not over, by its id."""
    pages = serverless.get_paginator("list_job_runs").paginate(
        applicationId=application_id, states=list(_UNDER_WAY)
    )
    return {
        each["id"]: printable_line(f"{each.get('name') or each['id']} {each['state']}")
        for page in pages
        for each in page["jobRuns"]
    }


def _state(serverless: Client, application_id: str) -> str:
    return str(serverless.get_application(applicationId=application_id)["application"]["state"])
