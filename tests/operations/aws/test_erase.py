"""`fruits erase` of what is deployed: where it works, and what it refuses."""

import os
from contextlib import nullcontext

import boto3
import pytest

from cdk_app.config import REGION
from operations import cli
from operations.commands import erase
from spark_assets.errors import ExitCode
from spark_assets.output.erasure_denylist import ErasureDenylist, read_denylist, write_denylist
from spark_assets.output.erasure_journal import pending_erasures
from spark_assets.output.output import Output
from tests.operations.aws.conftest import RESULTS

DIGEST = "a" * 64
IN_AWS = ["--on-cluster", "--serverless"]


def told(capsys) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


@pytest.mark.parametrize("option", IN_AWS)
def test_what_works_in_aws_works_on_the_deployed_output_alone(option, capsys):
    assert cli.main(["erase", option, "--output", "out", "--path", "1.jpg"]) == 1
    assert told(capsys) == f"fruits: {option} works on the deployed output; leave --output out"


@pytest.mark.parametrize("option", IN_AWS)
def test_what_works_in_aws_is_not_asked_to_allow_a_photograph_again(
    option, make_data_stack, capsys
):
    """What is named would be erased instead."""
    make_data_stack()
    assert cli.main(["erase", option, "--allow-again", "--sha256", DIGEST]) == 1
    assert told(capsys) == (
        f"fruits: {option} erases; leave it out with --allow-again or --rewrite-only"
    )


@pytest.mark.parametrize("named", [[], ["--path", "1.jpg", "--sha256", DIGEST]])
def test_photographs_are_allowed_again_by_digest(named, tmp_path, capsys):
    assert cli.main(["erase", "--output", str(tmp_path), "--allow-again", *named]) == 1
    assert told(capsys) == "fruits: --allow-again takes digests and nothing else; give --sha256"


def test_a_photograph_is_allowed_again_in_the_deployed_output(make_data_stack):
    make_data_stack()
    output = Output.open(erase.data_stack("test").output)
    write_denylist(output, ErasureDenylist().with_digests([DIGEST]))
    assert cli.main(["erase", "--allow-again", "--sha256", DIGEST]) == 0
    assert not read_denylist(output)
    assert pending_erasures(output) == []


@pytest.mark.parametrize("words", [[], *([option] for option in IN_AWS)])
def test_every_place_is_in_the_region_of_the_stacks(
    words, make_data_stack, make_compute_stack, make_serverless_stack, monkeypatch
):
    make_data_stack()
    make_compute_stack()
    make_serverless_stack()
    seen = []
    monkeypatch.setattr(
        erase, "working_on", lambda output, *_: seen.append(output) or nullcontext()
    )
    monkeypatch.setattr(erase.job, "working_on", erase.working_on)
    monkeypatch.setattr(erase, "plan_and_begin", lambda *_: None)
    monkeypatch.setattr(erase.job, "erase", lambda *_: ExitCode.DONE)
    assert cli.main(["erase", "--dry-run", "--path", "1.jpg", *words]) == 0
    (output,) = seen
    assert (output.uri, output.s3.region) == (f"s3://{RESULTS}/chain", REGION)
    assert os.environ["AWS_REGION"] == REGION


@pytest.mark.parametrize("words", [["--on-cluster"], []])
def test_without_credentials_one_sentence_says_how_to_get_some(words, aws, capsys, monkeypatch):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    assert cli.main(["erase", "--path", "1.jpg", *words]) == 1
    assert told(capsys).startswith("fruits: no AWS credentials were found; run 'aws configure'")


def test_an_erasure_is_begun_here_run_as_a_job_and_concluded_here(
    make_data_stack, make_serverless_stack, monkeypatch
):
    make_data_stack()
    made = make_serverless_stack()
    deeds = []
    monkeypatch.setattr(erase, "working_on", lambda *_: nullcontext())
    monkeypatch.setattr(erase, "plan_and_begin", lambda *_: deeds.append("begun"))
    monkeypatch.setattr(erase, "remove_from_sources", lambda *_: deeds.append(n_jobs(made)))
    monkeypatch.setattr(
        erase, "conclude_all", lambda *_: deeds.append(n_jobs(made)) or ExitCode.DONE
    )
    assert cli.main(["erase", "--serverless", "--path", "1.jpg"]) == 0
    assert deeds == ["begun", 0, 1]


def n_jobs(made) -> int:
    client = made.client
    try:
        return len(client.list_job_runs(applicationId=made.application_id)["jobRuns"])
    except client.exceptions.ResourceNotFoundException:  # moto's answer before the first one
        return 0


@pytest.mark.parametrize("option", IN_AWS)
def test_an_interruption_of_what_works_in_aws_names_the_way_on(option, capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(erase, "data_stack", interrupted)
    assert cli.main(["erase", option, "--path", "1.jpg"]) == 130
    assert told(capsys) == (
        f"interrupted; what has begun is finished with: fruits erase {option} --finish"
    )
