"""`fruits submit --on-demand` and `fruits status --on-demand`, on Step Functions as moto has it."""

import json

import pytest

from operations import cli
from operations.aws.clients import aws_client
from operations.aws.executions import follow_execution
from tests.moto_server import make_stack
from tests.operations.aws.conftest import LOGS

DEFINITION = {"StartAt": "Begin", "States": {"Begin": {"Type": "Pass", "End": True}}}
ARN = "arn:aws:states:eu-central-1:123456789012:execution:fruits-test-on-demand:run-1"


@pytest.fixture
def machine(aws):
    """Return the ARN of a state machine that the stack of the test environment has made."""
    made = aws_client("stepfunctions").create_state_machine(
        name="fruits-test-on-demand",
        definition=json.dumps(DEFINITION),
        roleArn="arn:aws:iam::123456789012:role/run",
    )
    outputs = {"StateMachineArn": made["stateMachineArn"], "LogUri": f"s3://{LOGS}/emr/"}
    make_stack("fruits-test-on-demand", {"B": {"Type": "AWS::S3::Bucket"}}, outputs)
    return made["stateMachineArn"]


class StepFunctions:
    """Answers with one look after the other; each is a status, a state and a cause."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def describe_execution(self, *, executionArn):  # noqa: N803 - the name of AWS
        self.status, self.state, cause = self.looks.pop(0)
        return {"status": self.status, **({"cause": cause} if cause else {})}

    def get_execution_history(self, **asked):
        assert asked["reverseOrder"] is True
        assert asked["includeExecutionData"] is False
        entered = {"stateEnteredEventDetails": {"name": self.state}}
        return {"events": [{"type": "TaskScheduled"}, *([entered] if self.state else [])]}


def followed(*looks, **options):
    slept = []
    seen = follow_execution(
        StepFunctions(*looks), ARN, interval_s=5, sleep=slept.append, clock=lambda: 0, **options
    )
    return seen, slept


def test_a_run_is_started(machine, capsys):
    assert cli.main(["submit", "--on-demand"]) == 0
    (started,) = aws_client("stepfunctions").list_executions(stateMachineArn=machine)["executions"]
    assert capsys.readouterr().err.splitlines() == [
        f"started the run {started['name']}, which ends its cluster by itself",
        "follow it with: fruits status --on-demand",
    ]


def test_a_second_run_is_not_started_beside_the_first(machine, capsys):
    cli.main(["submit", "--on-demand"])
    assert cli.main(["submit", "--on-demand"]) == 1
    assert len(aws_client("stepfunctions").list_executions(stateMachineArn=machine)["executions"])
    assert "fruits: a run is under way, and there is one at a time" in capsys.readouterr().err


@pytest.mark.usefixtures("aws")
@pytest.mark.parametrize("command", ["submit", "status"])
def test_without_the_stack_the_command_that_makes_it_is_named(command, capsys):
    assert cli.main([command, "--on-demand", "--environment", "prod"]) == 1
    assert capsys.readouterr().err == (
        "fruits: there are no runs on demand in the prod environment; make what they need with: "
        "make deploy STACK=on-demand ENVIRONMENT=prod\n"
    )


def test_without_a_run_the_command_that_starts_one_is_named(machine, capsys):
    assert cli.main(["status", "--on-demand"]) == 1
    assert "start one with: fruits submit --on-demand" in capsys.readouterr().err


def test_a_run_can_be_looked_at_once(machine, capsys):
    cli.main(["submit", "--on-demand"])
    assert cli.main(["status", "--on-demand", "--no-follow"]) == 0
    assert " RUNNING" in capsys.readouterr().err


def test_an_aborted_run_is_a_failure_that_says_what_stays(machine, capsys):
    cli.main(["submit", "--on-demand"])
    sfn = aws_client("stepfunctions")
    (started,) = sfn.list_executions(stateMachineArn=machine)["executions"]
    sfn.stop_execution(executionArn=started["executionArn"])
    assert cli.main(["status", "--on-demand"]) == 1
    told = capsys.readouterr().err
    assert "it ends by itself when it has been idle, and the next run deletes" in told
    assert f"below s3://{LOGS}/emr/" in told


def test_each_state_is_told_once(capsys):
    seen, slept = followed(
        ("RUNNING", "Make the EMR endpoint", ""),
        ("RUNNING", "Featurize", ""),
        ("RUNNING", "Featurize", ""),
        ("SUCCEEDED", "Done", ""),
    )
    assert (seen.is_complete, slept) == (True, [5, 5, 5])
    lines = [line.split(maxsplit=5)[-1] for line in capsys.readouterr().err.splitlines()]
    assert lines == [
        "run-1 RUNNING: Make the EMR endpoint",
        "run-1 RUNNING: Featurize",
        "run-1 SUCCEEDED: Done",
    ]


def test_a_failure_has_its_cause_without_the_number_of_the_account():
    cause = json.dumps({"Error": "States.TaskFailed", "Cause": "of 123456789012\x1b[31m"})
    seen, _ = followed(("FAILED", "Failed", cause))
    assert not seen.is_complete
    assert "States.TaskFailed" in seen.cause
    assert "123456789012" not in seen.cause
    assert "\x1b" not in seen.cause


def test_a_run_that_has_just_begun_has_no_state_yet():
    seen, slept = followed(("RUNNING", "", ""), only_once=True)
    assert (seen.state, seen.is_over, slept) == ("", False, [])
