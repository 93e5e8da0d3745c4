"""submit, status, receipt and erase with ``--serverless``.

Stacks, executions that start, and the request of a job are moto's.  Where states change, AWS is a
script: moto's executions stand still, and its job runs are complete at once.
"""

import gzip
import json
from datetime import UTC, datetime, timedelta

import pytest

from operations import cli
from operations.aws.clients import aws_client
from operations.aws.executions import describe_execution
from operations.aws.following import follow
from operations.aws.job_runs import describe_job_run, start_job
from operations.aws.stacks import data_stack
from operations.commands import serverless_runs
from operations.costs.prices import load_prices
from spark_assets.errors import FruitsError
from spark_assets.output.output import Output
from spark_assets.output.receipt_files import newest_receipt
from tests.operations.aws.conftest import LOGS, RAW, RESULTS
from tests.operations.aws.test_receipt import put_manifest

START = datetime(2026, 11, 1, 8, tzinfo=UTC)
END = START + timedelta(hours=1)
ARN = "arn:aws:states:eu-central-1:123456789012:execution:fruits-test-serverless:run-1"
OUR_SENTENCE = "fruits: the bucket nowhere does not exist; check the name"


class StepFunctions:
    """One run, that answers with one look after the other: a status, a state and a cause."""

    def __init__(self, *looks):
        self.looks = list(looks)

    def list_executions(self, **_):
        return {"executions": [{"executionArn": ARN}]}

    def describe_execution(self, *, executionArn):  # noqa: N803 - the name of AWS
        self.status, self.state, cause = self.looks.pop(0)
        end = {} if self.status == "RUNNING" else {"stopDate": END}
        return {"status": self.status, "cause": cause, "startDate": START, **end}

    def get_execution_history(self, **asked):
        assert asked["reverseOrder"] is True
        assert asked["includeExecutionData"] is False
        entered = {"stateEnteredEventDetails": {"name": self.state}}
        return {"events": [{"type": "TaskScheduled"}, *([entered] if self.state else [])]}


class JobRuns:
    """Job runs by name, in pages, the newest first; other jobs and other times are among them."""

    def __init__(self, *told):
        self.told = [
            {"jobRunId": f"id-{index}", "createdAt": START + timedelta(minutes=index), **each}
            for index, each in enumerate(told)
        ]

    def get_paginator(self, name):
        assert name == "list_job_runs"
        return self

    def paginate(self, *, applicationId, createdAtAfter, createdAtBefore=END):  # noqa: N803
        for each in reversed(self.told):
            if createdAtAfter < each["createdAt"] < createdAtBefore:
                yield {"jobRuns": [{**each, "id": each["jobRunId"]}]}

    def get_job_run(self, *, applicationId, jobRunId):  # noqa: N803
        return {"jobRun": next(each for each in self.told if each["jobRunId"] == jobRunId)}


def job(name, state="SUCCESS", *, vcpu_h=None, **more):
    billed = {"vCPUHour": vcpu_h, "memoryGBHour": 4 * (vcpu_h or 0), "storageGBHour": 0.0}
    return {
        "name": name,
        "state": state,
        "stateDetails": "",
        "startedAt": START,
        "endedAt": START + timedelta(seconds=75),
        **({} if vcpu_h is None else {"billedResourceUtilization": billed}),
        **more,
    }


@pytest.fixture
def run_with(make_data_stack, make_serverless_stack, monkeypatch):
    """Give a command of one script of Step Functions and one of EMR Serverless."""
    make_data_stack()
    application = make_serverless_stack()

    def run(*words, looks=(), jobs=()):
        scripted = {"stepfunctions": StepFunctions(*looks), "emr-serverless": JobRuns(*jobs)}
        monkeypatch.setattr(
            serverless_runs, "aws_client", lambda name: scripted.get(name) or aws_client(name)
        )
        return cli.main([*words, "--serverless"])

    run.application_id = application.application_id
    return run


def lines_of(capsys):
    return [line.split("  ")[-1] for line in capsys.readouterr().err.splitlines()]


def ship_log(s3, application_id, job_run_id, *lines):
    s3.put_object(
        Bucket=LOGS,
        Key=f"emr/applications/{application_id}/jobs/{job_run_id}/SPARK_DRIVER/stdout.gz",
        Body=gzip.compress("\n".join(lines).encode()),
    )


def test_a_run_is_started(make_serverless_stack, capsys):
    made = make_serverless_stack()
    assert cli.main(["submit", "--serverless"]) == 0
    sfn = aws_client("stepfunctions")
    (started,) = sfn.list_executions(stateMachineArn=made.machine_arn)["executions"]
    assert capsys.readouterr().err.splitlines() == [
        f"started the run {started['name']} on EMR Serverless",
        "follow it with: fruits status --serverless",
    ]


def test_a_second_run_is_not_started_beside_the_first(make_serverless_stack, capsys):
    made = make_serverless_stack()
    cli.main(["submit", "--serverless"])
    assert cli.main(["submit", "--serverless"]) == 1
    sfn = aws_client("stepfunctions")
    assert len(sfn.list_executions(stateMachineArn=made.machine_arn)["executions"]) == 1
    assert "fruits: a run is under way, and there is one at a time" in capsys.readouterr().err


@pytest.mark.parametrize(("max_cost", "n_runs"), [("0.000001", 0), ("1000", 1)])
def test_a_run_above_the_cap_is_not_started(
    max_cost, n_runs, make_data_stack, make_serverless_stack, s3, capsys
):
    make_data_stack()
    made = make_serverless_stack()
    s3.put_object(Bucket=RAW, Key="images/a.jpg", Body=b"photograph")
    assert cli.main(["submit", "--serverless", "--max-cost", max_cost]) == 1 - n_runs
    sfn = aws_client("stepfunctions")
    runs = sfn.list_executions(stateMachineArn=made.machine_arn)["executions"]
    assert len(runs) == n_runs
    assert ("a run over 1 image would cost" in capsys.readouterr().err) == (n_runs == 0)


@pytest.mark.usefixtures("make_data_stack")
@pytest.mark.parametrize("command", ["submit", "status", "receipt", "erase"])
def test_without_the_stack_the_command_that_makes_it_is_named(command, make_data_stack, capsys):
    make_data_stack("prod")
    named = ["--path", "1.jpg"] if command == "erase" else []
    assert cli.main([command, *named, "--serverless", "--environment", "prod"]) == 1
    assert capsys.readouterr().err == (
        "fruits: there is no EMR Serverless application in the prod environment; make one with: "
        "fruits deploy --stack serverless --environment prod\n"
    )


def test_without_a_run_the_command_that_starts_one_is_named(make_serverless_stack, capsys):
    make_serverless_stack()
    assert cli.main(["status", "--serverless"]) == 1
    assert "start one with: fruits submit --serverless" in capsys.readouterr().err


def test_a_run_can_be_looked_at_once(make_serverless_stack, capsys):
    make_serverless_stack()
    cli.main(["submit", "--serverless"])
    assert cli.main(["status", "--serverless", "--no-follow"]) == 0
    assert " RUNNING" in capsys.readouterr().err


def test_a_run_is_followed_state_by_state_to_its_report(run_with, capsys):
    looks = [
        ("RUNNING", "", ""),
        ("RUNNING", "Featurize", ""),
        ("RUNNING", "Featurize", ""),
        ("SUCCEEDED", "Done", ""),
    ]
    assert run_with("status", "--interval-seconds", "0.001", looks=looks) == 0
    assert lines_of(capsys) == [
        "run run-1 RUNNING",
        "run run-1 RUNNING: Featurize",
        "run run-1 SUCCEEDED: Done",
        "the run is complete",
        f"copy the report with: aws s3 cp s3://{RESULTS}/chain/report/index.html report.html",
    ]


def test_a_failed_job_is_told_with_the_words_of_aws_and_of_the_chain(run_with, s3, capsys):
    ship_log(s3, run_with.application_id, "id-1", "INFO a", OUR_SENTENCE, "INFO end")
    jobs = [
        job("featurize"),
        job("reduce", "FAILED", stateDetails="Job failed, of 123456789012\x1b[31m."),
        job("erase"),
        job("reduce", "RUNNING", createdAt=END + timedelta(hours=1)),
    ]
    looks = [("FAILED", "Failed", '{"Error": "States.TaskFailed"}')]
    assert run_with("status", looks=looks, jobs=jobs) == 1
    place = f"s3://{LOGS}/emr/applications/{run_with.application_id}/jobs/id-1/SPARK_DRIVER"
    assert lines_of(capsys)[1:] == [
        "fruits: the run run-1 failed",
        "fruits: the step reduce (id-1) failed: Job failed, of <account>\\x1b[31m.",
        f"the last lines of its log, {place}/stdout.gz:",
        OUR_SENTENCE,
    ]


def test_where_no_job_failed_the_cause_of_the_run_is_told(run_with, capsys):
    cause = json.dumps({"Error": "AccessDenied", "Cause": "of 123456789012\x1b[31m"})
    jobs = [job("featurize")]
    assert run_with("status", looks=[("FAILED", "Failed", cause)], jobs=jobs) == 1
    (told,) = lines_of(capsys)[1:]
    assert told.startswith("fruits: the run run-1 failed: ")
    assert "AccessDenied" in told
    assert "123456789012" not in told


@pytest.mark.parametrize(
    ("status", "words"),
    [("ABORTED", "was stopped"), ("TIMED_OUT", "took longer than run_timeout_hours allows")],
)
def test_a_run_that_was_ended_is_a_failure_that_says_how(status, words, run_with, capsys):
    jobs = [job("featurize", "CANCELLED")]
    assert run_with("status", "--no-follow", looks=[(status, "", "")], jobs=jobs) == 1
    told = capsys.readouterr().err
    assert f"fruits: the run run-1 {words}, and its job run is cancelled" in told
    assert "its log has not come yet" in told


def test_each_state_is_told_once(capsys):
    slept = []
    looks = [("RUNNING", "Reduce", ""), ("RUNNING", "Reduce", ""), ("SUCCEEDED", "Done", "")]
    sfn = StepFunctions(*looks)
    seen = follow(
        lambda: describe_execution(sfn, ARN), interval_s=5, sleep=slept.append, clock=lambda: 0
    )
    assert (seen.is_complete, slept) == (True, [5, 5])
    assert lines_of(capsys) == ["run run-1 RUNNING: Reduce", "run run-1 SUCCEEDED: Done"]


def test_the_receipt_is_of_the_hours_that_aws_bills(run_with, s3, capsys):
    put_manifest(s3, "1", START + timedelta(minutes=1), 4000)
    put_manifest(s3, "2", END + timedelta(minutes=1), 999)
    jobs = [
        job("featurize", vcpu_h=1.5),
        job("reduce", vcpu_h=0.25),
        job("erase", vcpu_h=100),
        job("report", vcpu_h=0.25),
    ]
    assert run_with("receipt", looks=[("SUCCEEDED", "Done", "")], jobs=jobs) == 0
    told, prices = capsys.readouterr(), load_prices()
    kept = newest_receipt(Output.open(data_stack("test").output))
    assert told.err == f"receipt: s3://{RESULTS}/chain/receipts/run-1.json\n"
    assert kept is not None
    assert kept.is_serverless
    assert (kept.n_runs, kept.n_images) == (1, 4000)
    assert {one.instance_type: one.hours for one in kept.node_hours} == {
        "vCPU": 2, "GB of memory": 8, "GB of disk": 0,
    }  # fmt: skip
    parts = {cost.what: cost.usd for cost in kept.costs}
    # moto tells no architecture: x86.
    assert parts["vCPUs"] == pytest.approx(2 * prices.serverless_vcpu.value)
    assert parts["memory"] == pytest.approx(8 * prices.serverless_memory.value)
    assert [cost.what for cost in kept.estimate] == list(parts)
    assert told.out.startswith("Cost of the run run-1 from 2026-11-01T08:00:00+00:00 to ")
    assert f"{kept.usd:.3f}" in told.out


@pytest.mark.parametrize(
    ("status", "jobs"),
    [
        ("RUNNING", [job("featurize", vcpu_h=1)]),
        ("FAILED", [job("featurize", "CANCELLING")]),
        ("SUCCEEDED", [job("featurize", vcpu_h=1), job("reduce")]),
    ],
)
def test_there_is_no_receipt_before_aws_tells_what_it_bills(status, jobs, run_with, capsys):
    assert run_with("receipt", looks=[(status, "", "")], jobs=jobs) == 1
    assert capsys.readouterr().err == (
        "fruits: AWS bills the run run-1 once its job runs are over; "
        "follow it with: fruits status --serverless\n"
    )


def test_a_job_that_was_cancelled_in_the_queue_is_billed_nothing(run_with):
    waiting = {key: value for key, value in job("reduce").items() if key != "startedAt"}
    jobs = [job("featurize", vcpu_h=1), {**waiting, "state": "CANCELLED"}]
    assert run_with("receipt", looks=[("ABORTED", "", "")], jobs=jobs) == 0


def test_the_job_of_an_erasure_is_started_as_it_was_deployed(make_serverless_stack):
    made = make_serverless_stack()
    started = start_job(made.client, aws_client("ssm"), "/fruits/test/erasure-job")
    told = made.client.get_job_run(applicationId=made.application_id, jobRunId=started)["jobRun"]
    assert told["name"] == "erase"
    assert told["jobDriver"] == {"sparkSubmit": {"entryPoint": "s3://code/erase.py"}}
    assert describe_job_run(made.client, made.application_id, started).is_complete


@pytest.mark.parametrize("text", ["{", "1", "[1]"])
def test_a_parameter_that_holds_no_job_is_refused(text, make_serverless_stack):
    made = make_serverless_stack(job=text)
    with pytest.raises(FruitsError, match="erasure-job does not hold a job; deploy the stack"):
        start_job(made.client, aws_client("ssm"), "/fruits/test/erasure-job")
