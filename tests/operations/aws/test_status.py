"""`fruits status`.  moto adds steps and runs none: where states change, the EMR is a script.

Stacks, the parameter and the logs are moto's.
"""

import gzip
from datetime import UTC, datetime, timedelta

import pytest
from botocore import exceptions as aws

from operations import cli
from operations.aws.clusters import read_progress
from operations.aws.following import follow
from operations.aws.step_logs import last_lines
from operations.commands import follow_steps, status
from spark_assets.storage.locations import parse_location
from tests.operations.aws.conftest import LOGS, RESULTS, STEPS

NAMES = [step["name"] for step in STEPS]
STARTED = datetime(2020, 1, 1, 12, tzinfo=UTC)
ENDED = STARTED + timedelta(seconds=75)
DONE = ("COMPLETED",) * 3
FOLDER = parse_location(f"s3://{LOGS}/emr/j-1/steps/s-featurize")
EXECUTED = f"s3://{RESULTS}/notebooks/walk-1"
NOTEBOOK_ARGUMENTS = ["--notebook", f"{EXECUTED}/source/walk.ipynb", "--results", EXECUTED]
OUR_SENTENCE = "fruits: the bucket nowhere does not exist; check the name"


class ScriptedEMR:
    """Answers look by look: the state of the cluster, and those of the newest three steps.

    An exception in place of a look is raised.  An earlier submission is in the list as well.
    """

    def __init__(self, *looks, reason="", failure=None, names=NAMES):
        self.names = names
        self.looks = list(looks)
        self.reason = reason
        self.failure = failure or {}
        self.n_looks = 0

    def describe_cluster(self, ClusterId):  # noqa: N803
        self.look = self.looks[min(self.n_looks, len(self.looks) - 1)]
        self.n_looks += 1
        if isinstance(self.look, Exception):
            raise self.look
        state = {"State": self.look[0], "StateChangeReason": {"Message": self.reason}}
        return {"Cluster": {"Status": state}}

    def get_paginator(self, _name):
        return self

    def paginate(self, **_options):
        newest_first = [("s-other", "by hand")]
        newest_first += [(f"s-{name}", name) for name in reversed(self.names)]
        newest_first += [(f"s-old-{name}", name) for name in reversed([*NAMES, "notebook"])]
        for start in range(0, len(newest_first), 3):
            page = newest_first[start : start + 3]
            yield {"Steps": [{"Id": step_id, "Name": name} for step_id, name in page]}

    def list_steps(self, ClusterId, StepIds):  # noqa: N803
        assert StepIds == [f"s-{name}" for name in self.names]
        steps = zip(self.names, self.look[1], strict=True)
        return {"Steps": [self._step(name, state) for name, state in reversed(list(steps))]}

    def _step(self, name, state):
        timeline = {"CreationDateTime": STARTED}
        if state in ("COMPLETED", "FAILED"):
            timeline |= {"StartDateTime": STARTED, "EndDateTime": ENDED}
        told = {"State": state, "Timeline": timeline}
        if state == "FAILED":
            told["FailureDetails"] = self.failure
        arguments = NOTEBOOK_ARGUMENTS if name == "notebook" else []
        config = {"Jar": "command-runner.jar", "Args": ["spark-submit", *arguments]}
        return {"Id": f"s-{name}", "Name": name, "Status": told, "Config": config}


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self):
        self.now = 0.0
        self.naps = []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def run_status(make_data_stack, make_compute_stack, monkeypatch):
    make_data_stack()
    cluster_id = make_compute_stack().cluster_id
    real_client = status.aws_client

    def run(emr, *options):
        for module in (status, follow_steps):
            monkeypatch.setattr(
                module, "aws_client", lambda name: emr if name == "emr" else real_client(name)
            )
        return cli.main(["status", "--interval-seconds", "0.001", *options])

    run.cluster_id = cluster_id
    return run


def ship_log(s3, cluster_id, *lines, step="featurize", name="stdout", content=None):
    s3.put_object(
        Bucket=LOGS,
        Key=f"emr/{cluster_id}/steps/s-{step}/{name}.gz",
        Body=gzip.compress("\n".join(lines).encode()) if content is None else content,
    )


def failed_looks():
    return (
        ("RUNNING", ("RUNNING", "PENDING", "PENDING")),
        ("WAITING", ("FAILED", "CANCELLED", "CANCELLED")),
    )


def test_each_change_of_state_is_one_line_with_the_time(capsys):
    emr, clock = (
        ScriptedEMR(
            ("STARTING", ("PENDING",) * 3),
            ("STARTING", ("PENDING",) * 3),
            ("BOOTSTRAPPING", ("PENDING",) * 3),
            ("RUNNING", ("RUNNING", "PENDING", "PENDING")),
            ("RUNNING", ("COMPLETED", "RUNNING", "PENDING")),
            ("RUNNING", ("COMPLETED", "COMPLETED", "RUNNING")),
            ("WAITING", DONE),
        ),
        Clock(),
    )
    step_ids = [f"s-{name}" for name in NAMES]
    seen = follow(
        lambda: read_progress(emr, "j-1", step_ids), interval_s=30, sleep=clock.sleep, clock=clock
    )
    assert seen.is_complete
    assert [line.strip() for line in capsys.readouterr().err.splitlines()] == [
        "0 min 00 s  cluster j-1 STARTING",
        "0 min 00 s  featurize PENDING",
        "0 min 00 s  reduce PENDING",
        "0 min 00 s  report PENDING",
        "1 min 00 s  cluster j-1 BOOTSTRAPPING",
        "1 min 30 s  cluster j-1 RUNNING",
        "1 min 30 s  featurize RUNNING",
        "2 min 00 s  featurize COMPLETED after 1 min 15 s",
        "2 min 00 s  reduce RUNNING",
        "2 min 30 s  reduce COMPLETED after 1 min 15 s",
        "2 min 30 s  report RUNNING",
        "3 min 00 s  cluster j-1 WAITING",
        "3 min 00 s  report COMPLETED after 1 min 15 s",
    ]
    assert clock.naps == [30] * 6


def test_the_newest_steps_of_the_chain_are_followed_to_the_end(run_status, capsys):
    emr = ScriptedEMR(
        ("RUNNING", ("RUNNING", "PENDING", "PENDING")),
        ("RUNNING", ("COMPLETED", "COMPLETED", "RUNNING")),
        ("WAITING", DONE),
    )
    assert run_status(emr) == 0
    assert emr.n_looks == 3
    assert capsys.readouterr().err.splitlines()[-2:] == [
        "all steps are complete",
        f"copy the report with: aws s3 cp s3://{RESULTS}/chain/report/index.html report.html",
    ]


def test_a_notebook_that_was_submitted_after_the_steps_is_followed_too(run_status, capsys):
    emr = ScriptedEMR(("WAITING", (*DONE, "COMPLETED")), names=[*NAMES, "notebook"])
    assert run_status(emr) == 0
    assert capsys.readouterr().err.splitlines()[-3:] == [
        "all steps are complete",
        f"copy the report with: aws s3 cp s3://{RESULTS}/chain/report/index.html report.html",
        f"copy the notebook with: aws s3 cp {EXECUTED}/walk.html walk.html",
    ]


def test_a_cell_that_fails_is_told_with_where_the_notebook_is(run_status, s3, capsys):
    sentence = "fruits: cell 7 failed: NameError: name 'x' is not defined"
    ship_log(s3, run_status.cluster_id, "executing", sentence, step="notebook")
    emr = ScriptedEMR(("WAITING", (*DONE, "FAILED")), names=[*NAMES, "notebook"])
    assert run_status(emr) == 1
    assert capsys.readouterr().err.splitlines()[-2:] == [
        f"  {sentence}",
        f"the notebook as far as it came is in {EXECUTED}/",
    ]


def test_a_notebook_alone_is_followed_and_no_report_is_named(run_status, capsys):
    emr = ScriptedEMR(("WAITING", ("COMPLETED",)), names=["notebook"])
    emr.paginate = lambda **_: [{"Steps": [{"Id": "s-notebook", "Name": "notebook"}]}]
    assert run_status(emr) == 0
    assert "report" not in capsys.readouterr().err


def test_looking_once_is_looking_once(run_status, capsys):
    emr = ScriptedEMR(("RUNNING", ("RUNNING", "PENDING", "PENDING")), ("WAITING", DONE))
    assert run_status(emr, "--no-follow") == 0
    assert emr.n_looks == 1
    assert "featurize RUNNING" in capsys.readouterr().err


def test_a_failed_step_is_told_with_the_sentence_of_the_chain(run_status, s3, capsys):
    ship_log(s3, run_status.cluster_id, "INFO a", OUR_SENTENCE, "INFO Shutdown hook", "Exit code 1")
    emr = ScriptedEMR(*failed_looks(), failure={"Reason": "Unknown Error.", "Message": "exit 1"})
    assert run_status(emr) == 1
    told = capsys.readouterr().err
    assert "featurize FAILED after 1 min 15 s" in told
    assert "reduce CANCELLED, because featurize failed" in told
    assert "report CANCELLED, because featurize failed" in told
    assert "fruits: the step featurize (s-featurize) failed: Unknown Error. exit 1" in told
    assert told.splitlines()[-2:] == [
        "the last lines of its log, "
        f"s3://{LOGS}/emr/{run_status.cluster_id}/steps/s-featurize/stdout.gz:",
        f"  {OUR_SENTENCE}",
    ]


def test_a_log_without_a_sentence_of_the_chain_is_told_by_its_end(run_status, s3, capsys):
    ship_log(s3, run_status.cluster_id, *(f"line {index}" for index in range(100)))
    assert run_status(ScriptedEMR(*failed_looks())) == 1
    shown = [line for line in capsys.readouterr().err.splitlines() if line.startswith("  line")]
    assert shown == [f"  line {index}" for index in range(80, 100)]


def test_the_sentence_of_the_chain_is_told_and_not_the_noise_of_spark(run_status, s3, capsys):
    ship_log(s3, run_status.cluster_id, "WARN Spark", name="stderr")
    ship_log(s3, run_status.cluster_id, OUR_SENTENCE, name="stdout")
    assert run_status(ScriptedEMR(*failed_looks())) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"  {OUR_SENTENCE}"


def test_where_the_chain_said_nothing_spark_is_told(run_status, s3, capsys):
    ship_log(s3, run_status.cluster_id, name="stdout")
    ship_log(s3, run_status.cluster_id, "No FileSystem for scheme", name="stderr")
    assert run_status(ScriptedEMR(*failed_looks())) == 1
    assert capsys.readouterr().err.splitlines()[-1] == "  No FileSystem for scheme"


def test_a_log_cannot_write_on_the_terminal_nor_tell_the_account(run_status, s3, capsys):
    ship_log(s3, run_status.cluster_id, "\x1b[2J arn:aws:iam::123456789012:role/x \x07\tend")
    assert run_status(ScriptedEMR(*failed_looks())) == 1
    told = capsys.readouterr().err
    assert "\\x1b[2J arn:aws:iam::<account>:role/x \\x07" in told
    assert "\x1b" not in told


def test_a_log_that_has_not_come_is_told_by_where_it_will_be(run_status, capsys):
    assert run_status(ScriptedEMR(failed_looks()[1]), "--no-follow") == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "its log has not come yet; it will be in "
        f"s3://{LOGS}/emr/{run_status.cluster_id}/steps/s-featurize/"
    )


def test_the_log_is_waited_for_and_not_for_ever(make_data_stack, s3, capsys):
    make_data_stack()
    clock = Clock()
    log = last_lines(s3, FOLDER, "featurize", ENDED, sleep=clock.sleep, clock=clock)
    assert log.lines is None
    assert clock.now == 300
    assert capsys.readouterr().err == (
        "waiting for the log of featurize, which EMR ships every few minutes\n"
    )


def test_a_log_that_comes_while_waiting_is_read(make_data_stack, s3):
    make_data_stack()
    clock = Clock()

    def sleep(seconds):
        clock.sleep(seconds)
        if clock.now >= 60:
            ship_log(s3, "j-1", OUR_SENTENCE)

    log = last_lines(s3, FOLDER, "featurize", ENDED, sleep=sleep, clock=clock)
    assert log.lines == (OUR_SENTENCE,)
    assert clock.now == 60


def test_a_log_shipped_before_the_step_ended_is_not_taken_for_its_end(make_data_stack, s3):
    """EMR ships what there is every five minutes, while the step runs too."""
    make_data_stack()
    clock, later = Clock(), datetime(2100, 1, 1, tzinfo=UTC)
    ship_log(s3, "j-1", "INFO still running")

    def sleep(seconds):
        clock.sleep(seconds)
        if clock.now >= 30:
            ship_log(s3, "j-1", "INFO still running", OUR_SENTENCE)

    log = last_lines(s3, FOLDER, "featurize", later, sleep=sleep, clock=clock)
    assert log.lines == (OUR_SENTENCE,)
    assert clock.now == 30


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(gzip.compress(b"line\n" * 10_000)[:60], id="cut"),
        pytest.param(b"no gzip at all", id="no gzip"),
        pytest.param(gzip.compress(b"line\n" * 10)[:-8] + b"\0" * 8, id="bad checksum"),
    ],
)
def test_a_broken_log_is_told_as_one(content, make_data_stack, s3):
    make_data_stack()
    ship_log(s3, "j-1", content=content)
    log = last_lines(s3, FOLDER, "featurize", ENDED, wait_s=0)
    assert log.lines[-1].startswith("(the log is cut off here: ")


def test_a_cluster_that_ends_with_errors_is_told_with_its_reason(run_status, capsys):
    emr = ScriptedEMR(
        ("BOOTSTRAPPING", ("PENDING",) * 3),
        ("TERMINATED_WITH_ERRORS", ("CANCELLED",) * 3),
        reason="On the master instance, bootstrap action 1 returned a non-zero return code.",
    )
    assert run_status(emr) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        f"fruits: the cluster {run_status.cluster_id} has ended: TERMINATED_WITH_ERRORS (On the "
        "master instance, bootstrap action 1 returned a non-zero return code); make a new one "
        "with: fruits destroy, then fruits deploy"
    )


def test_a_cluster_that_ends_under_its_steps_ends_the_following(run_status, capsys):
    emr = ScriptedEMR(
        ("RUNNING", ("RUNNING", "PENDING", "PENDING")),
        ("TERMINATING", ("RUNNING", "PENDING", "PENDING")),
        ("TERMINATED", ("RUNNING", "PENDING", "PENDING")),
        reason="Terminated by user request",
    )
    assert run_status(emr) == 1
    assert emr.n_looks == 3
    assert "TERMINATED (Terminated by user request)" in capsys.readouterr().err.splitlines()[-1]


def test_a_cluster_that_ended_idle_after_the_chain_is_a_success(run_status):
    assert run_status(ScriptedEMR(("TERMINATED", DONE))) == 0


def test_a_cluster_that_emr_has_forgotten_has_ended(run_status, capsys):
    message = f"Cluster id '{run_status.cluster_id}' is not valid."
    unknown = {"Error": {"Code": "InvalidRequestException", "Message": message}}

    class Forgotten(ScriptedEMR):
        def paginate(self, **_options):
            raise aws.ClientError(unknown, "ListSteps")

    assert run_status(Forgotten(aws.ClientError(unknown, "DescribeCluster"))) == 1
    told = capsys.readouterr().err
    assert "TERMINATED (EMR does not know it any more); make a new one with: fruits destroy" in told


def test_steps_cancelled_by_someone_can_be_submitted_again(run_status, capsys):
    assert run_status(ScriptedEMR(("WAITING", ("COMPLETED", "CANCELLED", "CANCELLED")))) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "fruits: the steps were cancelled, and none of them failed; "
        "submit them again with: fruits submit"
    )


def test_credentials_that_expire_on_the_way_are_told(run_status, capsys):
    expired = aws.ClientError({"Error": {"Code": "ExpiredTokenException"}}, "DescribeCluster")
    assert run_status(ScriptedEMR(failed_looks()[0], expired)) == 1
    assert capsys.readouterr().err.splitlines()[-1] == (
        "fruits: the AWS credentials have expired; log in again ('aws sso login', or the way you "
        "did before) and give the same command: what runs in AWS runs on, and what is done stays "
        "done"
    )


def test_ctrl_c_says_that_the_steps_run_on(run_status, capsys):
    class Interrupted(ScriptedEMR):
        def list_steps(self, **_options):
            raise KeyboardInterrupt

    assert run_status(Interrupted(failed_looks()[0])) == 130
    assert capsys.readouterr().err == (
        "interrupted; the steps run on, and the same command follows them again\n"
    )


def test_what_was_submitted_is_found(make_compute_stack, capsys):
    """Against moto, whose EMR takes the requests apart as the real one does."""
    cluster = make_compute_stack()
    for _ in range(2):
        assert cli.main(["submit"]) == 0
    capsys.readouterr()
    assert cli.main(["status", "--no-follow"]) == 0
    assert [line.split("  ")[-1] for line in capsys.readouterr().err.splitlines()] == [
        f"cluster {cluster.cluster_id} RUNNING",
        "featurize PENDING",
        "reduce PENDING",
        "report PENDING",
    ]


def test_a_cluster_without_steps_says_how_to_give_it_some(make_compute_stack, capsys):
    cluster = make_compute_stack()
    assert cli.main(["status"]) == 1
    assert capsys.readouterr().err == (
        f"fruits: the cluster {cluster.cluster_id} has no steps of the chain; "
        "submit them with: fruits submit\n"
    )


def test_an_ended_cluster_without_steps_is_not_to_be_given_any(make_compute_stack, capsys):
    cluster = make_compute_stack()
    cluster.client.terminate_job_flows(JobFlowIds=[cluster.cluster_id])
    assert cli.main(["status"]) == 1
    assert "make a new one with: fruits destroy, then fruits deploy" in capsys.readouterr().err


@pytest.mark.usefixtures("aws")
def test_without_a_cluster_the_command_that_makes_one_is_named(capsys):
    assert cli.main(["status", "--environment", "prod"]) == 1
    assert capsys.readouterr().err == (
        "fruits: there is no cluster in the prod environment; "
        "make one with: fruits deploy --environment prod\n"
    )


@pytest.mark.parametrize("value", ["0", "-1", "nan", "soon"])
def test_an_interval_that_makes_no_sense_is_bad_usage(value, capsys):
    with pytest.raises(SystemExit) as caught:
        cli.main(["status", f"--interval-seconds={value}"])
    assert caught.value.code == 2
    assert "--interval-seconds" in capsys.readouterr().err
