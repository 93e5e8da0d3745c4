"""Stops an application of EMR Serverless, so that CloudFormation can delete it.

CloudFormation can only delete an application that is stopped, and AWS stops only one without job
runs.
"""

import time
from dataclasses import dataclass

import botocore.exceptions

from cdk_app.config import Environment, stack_name
from operations.aws.aws_errors import is_missing_stack
from operations.aws.clients import Client, aws_client
from operations.aws.executions import running_executions
from operations.aws.following import Sleep, follow
from operations.command_lines import fruits_command
from spark_assets.errors import FruitsError
from spark_assets.runtime.progress import echo
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


def stop_serverless(environment: Environment, *, stop: bool, sleep: Sleep = time.sleep) -> None:
    """Stop the application; with ``stop``, its runs first.

    Raises FruitsError where a run is under way or the application does not stop.
    """
    # By its resources and not by its outputs: a stack that could not be made or deleted has none.
    resources = _resources(stack_name(environment, "serverless"))
    machine_arn = resources.get("AWS::StepFunctions::StateMachine")
    application_id = resources.get("AWS::EMRServerless::Application")
    if machine_arn is not None:
        _stop_runs(aws_client("stepfunctions"), machine_arn, environment, stop=stop)
    if application_id is None:
        return
    serverless = aws_client("emr-serverless")
    if left := cancel_job_runs(serverless, application_id, cancel=stop, sleep=sleep):
        raise FruitsError(
            f"the job {left} is under way, so nothing was deleted; wait until it is over, or "
            f"cancel it with: {_stop_command(environment)}"
        )
    if not stop_application(serverless, application_id, sleep=sleep):
        raise FruitsError(
            f"the application {application_id} does not stop, so nothing was deleted; give the "
            "same command again in some minutes"
        )


def _stop_runs(sfn: Client, machine_arn: str, environment: Environment, *, stop: bool) -> None:
    for execution_arn in running_executions(sfn, machine_arn):
        name = execution_arn.rpartition(":")[2]
        if not stop:
            follow = fruits_command("status --serverless", environment)
            raise FruitsError(
                f"the run {name} is under way, so nothing was deleted; follow it with: {follow}, "
                f"or stop it with: {_stop_command(environment)}"
            )
        sfn.stop_execution(executionArn=execution_arn)
        echo(f"stopped the run {name}; what its steps have completed stays")


def _stop_command(environment: Environment) -> str:
    return fruits_command("destroy --stack serverless --stop", environment)


def _resources(name: str) -> dict[str, str]:
    """Return the physical ids of the resources of a stack, by type; nothing without the stack."""
    pages = aws_client("cloudformation").get_paginator("list_stack_resources")
    try:
        return {
            each["ResourceType"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=name)
            for each in page["StackResourceSummaries"]
            if each["ResourceStatus"] != "DELETE_COMPLETE" and each.get("PhysicalResourceId")
        }
    except botocore.exceptions.ClientError as error:
        if is_missing_stack(error):
            return {}
        raise


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
