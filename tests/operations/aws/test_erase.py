"""`fruits erase` of what is deployed: where it works, and what it refuses."""

import os
from contextlib import nullcontext

import boto3
import pytest

from cdk_app.config import REGION
from operations import cli
from operations.commands import erase
from spark_assets.errors import ExitCode
from spark_assets.output.erased import ErasedDigests, load_erased, save_erased
from spark_assets.output.erasing import pending_erasures
from spark_assets.output.output import Output
from tests.operations.aws.conftest import RESULTS

DIGEST = "a" * 64


def told(capsys) -> str:
    return capsys.readouterr().err.strip().splitlines()[-1]


def test_the_cluster_works_on_the_deployed_output_alone(capsys):
    assert cli.main(["erase", "--on-cluster", "--output", "out", "--path", "1.jpg"]) == 1
    assert told(capsys) == ("fruits: --on-cluster works on the deployed output; leave --output out")


def test_the_cluster_is_not_asked_to_allow_a_photograph_again(make_data_stack, capsys):
    """What is named would be erased instead."""
    make_data_stack()
    assert cli.main(["erase", "--on-cluster", "--allow-again", "--sha256", DIGEST]) == 1
    assert told(capsys) == (
        "fruits: --on-cluster erases; leave it out with --allow-again or --rewrite-only"
    )


@pytest.mark.parametrize("named", [[], ["--path", "1.jpg", "--sha256", DIGEST]])
def test_photographs_are_allowed_again_by_digest(named, tmp_path, capsys):
    assert cli.main(["erase", "--output", str(tmp_path), "--allow-again", *named]) == 1
    assert told(capsys) == "fruits: --allow-again takes digests and nothing else; give --sha256"


def test_a_photograph_is_allowed_again_in_the_deployed_output(make_data_stack):
    make_data_stack()
    output = Output.open(erase.data_stack("test").output)
    save_erased(output, ErasedDigests().with_digests([DIGEST]))
    assert cli.main(["erase", "--allow-again", "--sha256", DIGEST]) == 0
    assert not load_erased(output)
    assert pending_erasures(output) == []


@pytest.mark.parametrize("on_cluster", [True, False])
def test_every_place_is_in_the_region_of_the_stacks(
    on_cluster, make_data_stack, make_compute_stack, monkeypatch
):
    make_data_stack()
    make_compute_stack()
    seen = []
    monkeypatch.setattr(
        erase, "working_on", lambda output, *_: seen.append(output) or nullcontext()
    )
    monkeypatch.setattr(erase.job, "working_on", erase.working_on)
    monkeypatch.setattr(erase, "begin_or_plan", lambda *_: None)
    monkeypatch.setattr(erase.job, "erase", lambda *_: ExitCode.DONE)
    words = ["--on-cluster"] if on_cluster else []
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


def test_an_interruption_on_the_cluster_names_the_way_on(capsys, monkeypatch):
    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(erase, "data_stack", interrupted)
    assert cli.main(["erase", "--on-cluster", "--path", "1.jpg"]) == 130
    assert told(capsys) == (
        "interrupted; what has begun is finished with: fruits erase --on-cluster --finish"
    )
