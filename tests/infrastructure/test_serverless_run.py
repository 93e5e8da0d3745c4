"""A run on EMR Serverless, executed: each job once, and whatever fails is told."""

import json

import pytest

from tests.emulated_aws.state_machine import EXECUTION_ID, Machine, TaskError

JOBS = ["Featurize", "Reduce", "Report"]
BUSY = TaskError("EMRServerless.ThrottlingException")


def definition_of(made):
    machine = made.serverless.only("AWS::StepFunctions::StateMachine")
    return json.loads(machine["DefinitionString"])


@pytest.fixture(scope="module")
def definition(made):
    return definition_of(made)


class Cloud:
    """AWS as a run sees it.  ``scripted`` has, by the name of a state, what happens instead.

    ``job_runs`` are those that were started, by their client tokens.
    """

    def __init__(self, **scripted):
        self.scripted = {name.replace("_", " "): what for name, what in scripted.items()}
        self.job_runs = {}

    def __call__(self, state, action, parameters):
        if action.startswith("emr-serverless"):
            self.job_runs.setdefault(parameters["ClientToken"], parameters["Name"])
        what = self.scripted.get(state, {})
        return what.pop(0) if isinstance(what, list) else what


def run(definition, given=None, **scripted):
    return Machine(definition, Cloud(**scripted)).run(given)


def test_a_run_does_the_jobs_in_their_order_and_tells_where_the_report_is(made, definition):
    ended = run(definition)
    assert ended.status == "SUCCEEDED"
    assert ended.states == [*JOBS, "Notify success", "Done"]
    (told,) = ended.called("publish")
    assert told["Message"].endswith(f" {made.data.outputs()['OutputUri']}/report/index.html")
    assert told["TopicArn"] == made.data.outputs()["NoticesTopicArn"]


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("error", ["States.TaskFailed", "States.Timeout"])
def test_a_job_that_fails_is_not_tried_again_and_none_follows(definition, job, error):
    ended = run(definition, **{job: TaskError(error, "exit code 3")})
    assert ended.status == "FAILED"
    so_far = JOBS[: JOBS.index(job) + 1]
    assert ended.states == [*so_far, "Notify failure", "Failed"]
    assert len(ended.called("startJobRun")) == len(so_far)
    assert json.loads(ended.cause) == {"Error": error, "Cause": "exit code 3"}


def test_the_notice_of_a_failure_names_state_run_and_command_and_no_photograph(definition):
    cause = '{"StateDetails": "features of s3://raw/images/jane-doe/1.jpg"}'
    ended = run(definition, Reduce=TaskError("States.TaskFailed", cause))
    (told,) = ended.called("publish")
    assert told["Message"] == (
        "A run of Fruits! failed in the state Reduce. Run: run-1. "
        "Look at the reason with: fruits status --serverless"
    )
    assert "jane-doe" not in json.dumps(told)
    assert "jane-doe" in ended.cause


def test_the_notice_of_another_environment_names_it(made_prod):
    ended = run(definition_of(made_prod), Report=TaskError("States.TaskFailed"))
    (told,) = ended.called("publish")
    assert told["Message"].endswith("fruits status --serverless --environment prod")


def test_a_request_that_is_sent_twice_starts_one_job_run(definition):
    cloud = Cloud(Featurize=[BUSY, BUSY, {}])
    ended = Machine(definition, cloud).run()
    assert ended.status == "SUCCEEDED"
    assert len(ended.called("startJobRun")) == 5
    assert list(cloud.job_runs.values()) == ["featurize", "reduce", "report"]


def test_another_execution_starts_job_runs_of_its_own(definition):
    tokens = []
    for execution_id in (EXECUTION_ID, f"{EXECUTION_ID}0"):
        cloud = Cloud()
        Machine(definition, cloud, execution_id).run()
        tokens += cloud.job_runs
    assert len(set(tokens)) == 6
    # The most that EMR Serverless takes.
    assert {len(token) for token in tokens} == {64}


def test_trouble_that_stays_fails_the_run(definition):
    ended = run(definition, Reduce=BUSY)
    assert ended.status == "FAILED"
    assert len(ended.called("startJobRun")) > 2


def test_nobody_to_tell_changes_nothing(definition):
    silent = TaskError("SNS.NotFoundException")
    assert run(definition, Tell_the_success=silent).status == "SUCCEEDED"
    failing = {"Report": TaskError("States.TaskFailed", "why"), "Tell_the_failure": silent}
    ended = run(definition, **failing)
    assert ended.status == "FAILED"
    assert "why" in ended.cause


@pytest.mark.parametrize("given", [{"ApplicationId": "other", "Cause": "none"}, [], "text"])
def test_what_an_execution_is_given_counts_for_nothing(definition, given):
    failing = {"Report": TaskError("States.TaskFailed", "why")}
    for scripted in ({}, failing):
        expected, ended = run(definition, **scripted), run(definition, given, **scripted)
        assert (ended.calls, ended.status, ended.cause) == (
            expected.calls,
            expected.status,
            expected.cause,
        )


def test_jobs_stay_within_the_time_of_a_run_and_the_execution_outlasts_them(least, made, changed):
    for each, hours in ((least, 1), (made, 6), (changed, 24)):
        definition = definition_of(each)
        jobs = [definition["States"][job]["Parameters"] for job in JOBS]
        minutes = [job["ExecutionTimeoutMinutes"] for job in jobs]
        assert sum(minutes) == hours * 60
        assert min(minutes) >= 10
        application = each.serverless.only("AWS::EMRServerless::Application")
        queue = application["SchedulerConfiguration"]["QueueTimeoutMinutes"]
        assert 15 <= queue <= 720
        assert definition["TimeoutSeconds"] / 60 > sum(minutes) + len(JOBS) * queue
