"""EMR Serverless and Step Functions as moto does not have them: worked by somebody else.

An application of a template, job runs that wait for a worker, and executions that say which state
they have entered.
"""

import json
from typing import Any, ClassVar

from moto.cloudformation.parsing import get_model_map
from moto.core.exceptions import ServiceException
from moto.core.utils import utcnow
from moto.emrserverless.exceptions import ValidationException
from moto.emrserverless.models import (
    Application,
    EMRServerlessBackend,
    JobRun,
    emrserverless_backends,
)
from moto.moto_api._internal import urls
from moto.stepfunctions.exceptions import ExecutionDoesNotExist, StateMachineDoesNotExist
from moto.stepfunctions.models import Execution, stepfunctions_backends

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.resources import _Resource

WORKER_PATH = "/moto-api/serverless"
_UNDER_WAY = ("SUBMITTED", "SCHEDULED", "RUNNING")
_start_job_run_of_moto = EMRServerlessBackend.start_job_run


def add() -> None:
    """Put the additions into moto."""
    get_model_map()[_Application.of_type] = _Application
    EMRServerlessBackend.start_job_run = _start_job_run
    EMRServerlessBackend.stop_application = _stop_application
    Execution.get_execution_history = _entered_states
    urls.url_paths[f"{{0}}{WORKER_PATH}"] = _hear_worker


class _Application(_Resource):
    """An application, with what a worker asks of it: Spark's settings and where logs go."""

    of_type: ClassVar[str] = "AWS::EMRServerless::Application"

    def make(self, account: str, region: str) -> None:
        given = self.properties
        backend = emrserverless_backends[account][region]
        # Not by moto's way, which knows no release of EMR for Spark.
        made = Application(
            name=given["Name"],
            release_label=given["ReleaseLabel"],
            application_type=given["Type"],
            client_token="",
            account_id=account,
            region_name=region,
            initial_capacity={},
            maximum_capacity=_camel(given["MaximumCapacity"]),
            tags={tag["Key"]: tag["Value"] for tag in given["Tags"]},
            auto_start_configuration=_camel(given["AutoStartConfiguration"]),
            auto_stop_configuration=_camel(given["AutoStopConfiguration"]),
            network_configuration=None,
        )
        made.state = "CREATED"
        made.architecture = given["Architecture"]
        made.monitoring_configuration = _camel(given["MonitoringConfiguration"])
        made.runtime_configuration = [
            {"classification": each["Classification"], "properties": each["Properties"]}
            for each in given["RuntimeConfiguration"]
        ]
        backend.applications[made.id] = made
        backend.job_runs[made.id] = []
        self.application = made
        self.physical_resource_id = made.id

    def delete(self, account: str, region: str) -> None:
        try:
            emrserverless_backends[account][region].delete_application(self.application.id)
        except ValidationException as error:
            raise ServiceException(error.description) from error

    def get_cfn_attribute(self, attribute_name: str) -> str:
        return {"ApplicationId": self.application.id, "Arn": self.application.arn}[attribute_name]


def _start_job_run(
    self: EMRServerlessBackend, application_id: str, client_token: str, **given: Any
) -> JobRun:
    for each in self.job_runs[application_id]:
        if each.client_token == client_token:
            return each
    job_run = _start_job_run_of_moto(self, application_id, client_token, **given)
    # moto's is complete at once, and was made at midnight.
    job_run.state = "SUBMITTED"
    job_run.created_at = utcnow()
    job_run.billed_resource_utilization = None
    self.applications[application_id].state = "STARTED"
    return job_run


def _stop_application(self: EMRServerlessBackend, application_id: str) -> None:
    if any(each.state in _UNDER_WAY for each in self.job_runs[application_id]):
        raise ValidationException("Application has job runs that are not over")
    self.applications[application_id].state = "STOPPED"


def _entered_states(self: Execution, _role: str) -> list[dict[str, Any]]:
    """Return the states that an execution has entered, the newest first."""
    return [
        {
            "timestamp": self.start_date,
            "type": "TaskStateEntered",
            "id": index,
            "stateEnteredEventDetails": {"name": name},
        }
        for index, name in reversed(list(enumerate(vars(self).get("entered", ()), start=1)))
    ]


def _hear_worker(request: Any, full_url: str, headers: Any) -> tuple[int, dict[str, str], str]:
    """Take what a worker says of a job run, or who interprets an execution of that."""
    word = json.loads(request.data)
    if "job_run_id" in word:
        _turn_job_run(**word)
    else:
        _turn_execution(**word)
    return 200, {}, "{}"


def _turn_job_run(
    application_id: str, job_run_id: str, state: str, details: str = "", wall_time_s: float = 0
) -> None:
    backend = emrserverless_backends[ACCOUNT][REGION]
    job_run = backend.get_job_run(application_id, job_run_id)
    if job_run.state not in _UNDER_WAY:  # somebody has cancelled it
        return
    job_run.state, job_run.state_details = state, details
    job_run.updated_at = utcnow()
    if state == "RUNNING":
        job_run.started_at = utcnow()
        return
    job_run.ended_at = utcnow()
    # The smallest driver and nothing else, a minute at least.
    hours = max(wall_time_s, 60) / 3600
    job_run.billed_resource_utilization = {
        "vCPUHour": hours,
        "memoryGBHour": 4 * hours,
        "storageGBHour": 0.0,
    }


def _turn_execution(
    execution_arn: str, entered: str = "", status: str = "", cause: str | None = None
) -> None:
    try:
        execution = stepfunctions_backends[ACCOUNT][REGION].describe_execution(execution_arn)
    except (ExecutionDoesNotExist, StateMachineDoesNotExist):  # it went with its machine
        return
    if execution.status != "RUNNING":  # somebody has stopped it
        return
    if entered:
        vars(execution).setdefault("entered", []).append(entered)
    if status:
        execution.status, execution.cause, execution.stop_date = status, cause, utcnow()


def _camel(given: Any) -> Any:
    """Return a value of a template as EMR Serverless tells it."""
    if not isinstance(given, dict):
        return given
    return {f"{key[0].lower()}{key[1:]}": _camel(value) for key, value in given.items()}
