"""An application of EMR Serverless is stopped, so that CloudFormation can delete it.

On moto, where an application stops and a job run is cancelled at once; where they take their time,
a stand-in answers one state after the other.
"""

import json

import pytest

from cdk_app.config import Environment
from operations.aws import stop_serverless as command
from operations.aws.clients import aws_client
from operations.aws.following import follow
from operations.aws.job_runs import JobRun
from operations.aws.stop_serverless import cancel_job_runs, stop_application
from operations.costs.run_costs import BilledHours
from spark_assets.errors import FruitsError
from tests.moto_server import make_stack

DEFINITION = {"StartAt": "Begin", "States": {"Begin": {"Type": "Wait", "Seconds": 1, "End": True}}}


@pytest.fixture
def application_id(emulated_aws, monkeypatch):
    """Make the stack with its state machine, and lend it an application: moto's has none."""
    made = aws_client("emr-serverless").create_application(
        name="fruits", releaseLabel="emr-7.0.0", type="SPARK", clientToken="token"
    )["applicationId"]
    # moto knows no job runs of an application before the first one.
    start_job(made)
    machine = {
        "StateMachineName": "fruits-test-serverless",
        "DefinitionString": json.dumps(DEFINITION),
        "RoleArn": "arn:aws:iam::123456789012:role/run",
    }
    machines = {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}
    make_stack("fruits-test-serverless", machines, {})
    real = command._resources
    monkeypatch.setattr(
        command, "_resources", lambda name: real(name) | {"AWS::EMRServerless::Application": made}
    )
    return made


def start_job(application_id):
    return aws_client("emr-serverless").start_job_run(
        applicationId=application_id,
        executionRoleArn="arn:aws:iam::123456789012:role/job",
        name="reduce",
        clientToken="token",
    )["jobRunId"]


def start_run():
    sfn = aws_client("stepfunctions")
    (machine,) = sfn.list_state_machines()["stateMachines"]
    return sfn.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]


def status_of(execution_arn):
    return aws_client("stepfunctions").describe_execution(executionArn=execution_arn)["status"]


def state_of(application_id):
    told = aws_client("emr-serverless").get_application(applicationId=application_id)
    return told["application"]["state"]


def stop(environment=Environment.TEST, *, runs=False):
    command.stop_serverless(environment, stop=runs, sleep=lambda _: None)


@pytest.mark.usefixtures("emulated_aws")
def test_without_a_stack_nothing_is_printed(capsys):
    stop()
    assert capsys.readouterr() == ("", "")


def test_an_application_without_work_is_stopped(application_id, capsys):
    stop()
    assert state_of(application_id) == "STOPPED"
    assert capsys.readouterr().err.split("  ")[-1] == f"application {application_id} STOPPED\n"
    stop()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("environment", Environment)
def test_a_run_that_is_under_way_is_in_the_way(application_id, environment, monkeypatch):
    run = start_run()
    resources = command._resources("fruits-test-serverless")
    monkeypatch.setattr(command, "_resources", lambda _: resources)
    option = {"test": "", "prod": " --environment prod"}[environment]
    with pytest.raises(FruitsError) as caught:
        stop(environment)
    assert str(caught.value) == (
        f"the run {run.rpartition(':')[2]} is under way, so nothing was deleted; follow it "
        f"with: fruits status --serverless{option}, or stop it with: "
        f"fruits destroy --stack serverless --stop{option}"
    )
    assert (status_of(run), state_of(application_id)) == ("RUNNING", "STARTED")


def test_a_run_can_be_stopped(application_id, capsys):
    run = start_run()
    stop(runs=True)
    assert (status_of(run), state_of(application_id)) == ("ABORTED", "STOPPED")
    told = capsys.readouterr().err
    assert f"stopped the run {run.rpartition(':')[2]}; what its steps have completed" in told


class Serverless:
    """An application and a job run, each in the next state at each look, and at last for ever."""

    def __init__(self, *states):
        self.states = list(states)
        self.asked = []

    def _next(self):
        return self.states.pop(0) if len(self.states) > 1 else self.states[0]

    def get_application(self, *, applicationId):  # noqa: N803 - the name of AWS
        return {"application": {"state": self._next()}}

    def stop_application(self, *, applicationId):  # noqa: N803
        self.asked.append("stop")

    def get_paginator(self, name):
        assert name == "list_job_runs"
        return self

    def paginate(self, *, applicationId, states):  # noqa: N803
        state = self._next()
        found = [{"id": "1", "name": "erase", "state": state}] if state in states else []
        return [{"jobRuns": []}, {"jobRuns": found}]

    def cancel_job_run(self, *, applicationId, jobRunId):  # noqa: N803
        self.asked.append(jobRunId)


def test_a_job_that_is_under_way_is_left_unless_it_may_be_cancelled():
    serverless = Serverless("RUNNING")
    left = cancel_job_runs(serverless, "a", cancel=False, sleep=lambda _: None)
    assert (left, serverless.asked) == ("erase", [])


@pytest.mark.parametrize(("first", "asked"), [("RUNNING", ["1"]), ("CANCELLING", [])])
def test_a_job_is_cancelled_once_and_waited_for(first, asked, capsys):
    serverless = Serverless(first, "CANCELLING", "CANCELLING", "CANCELLED")
    assert cancel_job_runs(serverless, "a", cancel=True, sleep=lambda _: None) is None
    assert serverless.asked == asked
    lines = [line.split("  ")[-1] for line in capsys.readouterr().err.splitlines()]
    assert lines == ["job erase CANCELLING"]


def test_an_erasure_that_is_under_way_is_in_the_way(application_id, monkeypatch):
    monkeypatch.setattr(command, "cancel_job_runs", lambda *_, **__: "erase")
    with pytest.raises(FruitsError, match="the job erase is under way, so nothing was deleted"):
        stop()
    assert state_of(application_id) == "STARTED"


def test_an_application_is_waited_for(capsys):
    serverless = Serverless("STARTED", "STOPPING", "STOPPED")
    assert stop_application(serverless, "a", sleep=lambda _: None)
    assert serverless.asked == ["stop"]


def test_one_that_was_never_started_can_be_deleted_as_it_is():
    serverless = Serverless("CREATED")
    assert stop_application(serverless, "a", sleep=lambda _: None)
    assert serverless.asked == []


def test_nothing_is_waited_for_for_ever(capsys):
    now = []
    running = JobRun("1", "erase", "RUNNING", "", None, None, BilledHours(0, 0), is_billed=False)
    seen = follow(
        lambda: running, interval_s=60, limit_s=600, sleep=now.append, clock=lambda: sum(now)
    )
    assert (seen, sum(now)) == (running, 600)
    assert capsys.readouterr().err == "  0 min 00 s  erase RUNNING\n"


@pytest.mark.usefixtures("application_id")
def test_one_that_does_not_stop_is_a_failure_after_a_while(monkeypatch):
    monkeypatch.setattr(command, "stop_application", lambda *_, **__: False)
    with pytest.raises(FruitsError, match="does not stop, so nothing was deleted; give the same"):
        stop()
