"""What is said before something is made or destroyed."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_app.config import ConfigError
from operations.cdk.context import read_config
from operations.plan.__main__ import main
from operations.plan.compute import (
    WIDTH,
    after_deploy_text,
    deploy_text,
    destroy_compute_text,
    destroy_data_text,
)

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [deploy_text, destroy_compute_text, destroy_data_text, after_deploy_text]


def said(text, *context):
    """Return a text as one line, with single spaces."""
    return " ".join(text(read_config(context)).split())


def assert_says(text, *parts):
    for part in parts:
        assert part in text


def test_a_deployment_names_its_nodes_network_buckets_and_steps():
    assert_says(
        said(deploy_text),
        "in eu-central-1, environment test",
        "1 primary node m7g.xlarge (4 vCPUs, 16 GiB), on demand",
        "1 core node m7g.xlarge (4 vCPUs, 16 GiB), on demand",
        "2 task nodes m7g.xlarge or m6g.xlarge, Spot; on demand if there is no Spot",
        "30 + 64 GiB of encrypted disk on each node",
        "featurize, reduce and report, submitted when the cluster is there",
        "one isolated subnet in eu-central-1a",
        "2 interface endpoints",
        "buckets photographs, results, step logs and access logs",
    )


def test_a_deployment_says_its_costs_and_that_they_are_an_estimate():
    assert_says(
        said(deploy_text),
        "an estimate in USD per hour",
        "primary node 0.196 core nodes 0.196 task nodes (Spot) 0.157 EMR 0.163 disks 0.049",
        "endpoints 0.024 sum 0.785 (1.020 if there is no Spot)",
        "list prices for N. Virginia",
        "read 2025-04 to 2026-08",
        "Assumed: Frankfurt is about a fifth above N. Virginia;",
        "taxes are not in it",
    )


def test_a_deployment_says_when_it_ends_and_what_stays():
    assert_says(
        said(deploy_text, "idle_timeout_minutes=7"),
        "ends by itself after 7 minutes without work",
        "The network stays until 'make destroy', with its endpoints for 0.024 USD per hour",
        "8 hours after 'make deploy' both are deleted",
        "After 'make destroy' the buckets and their key stay, "
        "for 1.00 USD a month and 2.45 for each 100 GB (an estimate)",
        "'make destroy STACK=data' deletes them too",
    )


def test_prod_says_what_it_keeps():
    for text in (deploy_text, destroy_compute_text, destroy_data_text):
        told = said(text, "environment=prod")
        assert_says(told, "environment prod", "prod keeps photographs, results, logs and key")
        assert "deletes them too" not in told
    assert_says(said(deploy_text, "environment=prod"), "'make destroy ENVIRONMENT=prod'")


def test_without_task_nodes_there_is_no_word_of_spot_but_in_its_price():
    told = said(deploy_text, "n_task_nodes=0")
    assert_says(told, "0 task nodes", "task nodes (Spot) 0.000")
    assert "there is no Spot" not in told


def test_the_plan_says_where_the_steps_are():
    assert_says(said(deploy_text, "steps=none"), "submitted when the cluster is there")
    assert_says(said(deploy_text, "steps=run"), "in the stack of the cluster")


@pytest.mark.parametrize(
    ("context", "command"), [([], "submit --follow\n"), (["-c", "steps=run"], "status\n")]
)
def test_make_is_told_how_the_steps_come_to_their_end(context, command, capsys):
    assert main(["steps-command", *context]) == 0
    assert capsys.readouterr().out == command


def test_the_plan_says_when_the_cluster_ends_by_itself():
    assert_says(
        said(deploy_text, "idle_timeout_minutes=7", "max_life_hours=3"),
        "ends by itself after 7 minutes without work",
        "3 hours after 'make deploy' both are deleted, whatever the cluster does",
    )


def test_after_a_deployment_the_next_commands_are_named():
    assert_says(
        said(after_deploy_text, "environment=prod"),
        "run the steps once more with: .venv/bin/fruits submit --follow --environment prod",
        "'make destroy ENVIRONMENT=prod'",
    )


@pytest.mark.parametrize("text", [deploy_text, after_deploy_text])
def test_it_is_said_aloud_that_nobody_is_told(text):
    assert_says(said(text), "NOBODY IS TOLD of failures", '"-c alarm_email=you@example.org"')
    assert "NOBODY" not in said(text, "alarm_email=team@example.org")


def test_the_session_manager_is_told():
    assert_says(
        said(deploy_text, "session_manager=true"),
        "4 interface endpoints, two of them for Session Manager",
    )


def test_destroying_the_cluster_says_what_goes_and_what_stays():
    assert_says(
        said(destroy_compute_text),
        "goes the cluster with its disks",
        "stays photographs, results and logs in their buckets, and the key",
        "1.00 USD a month and 2.45 for each 100 GB",
    )


def test_destroying_the_data_says_that_it_is_for_good():
    assert_says(
        said(destroy_data_text),
        "deletes for good",
        "goes every photograph, result and log, with all their versions",
    )


def test_of_prod_no_data_are_destroyed():
    assert_says(said(destroy_data_text, "environment=prod"), "goes nothing", "prod keeps")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.__name__)
@pytest.mark.parametrize(
    "context",
    [
        (),
        ("environment=prod", "steps=none", "n_task_nodes=0", "session_manager=true"),
        (
            "primary_instance_type=m7i.16xlarge",
            "worker_instance_type=m7i.16xlarge",
            "n_core_nodes=100",
            "n_task_nodes=100",
            "node_volume_gib=1000",
            "idle_timeout_minutes=1440",
        ),
    ],
)
def test_every_text_fits_a_terminal_and_is_plain(text, context):
    told = text(read_config(context))
    assert max(map(len, told.splitlines())) <= WIDTH
    assert told.isascii()
    assert not re.search(r" $", told, re.MULTILINE)


@pytest.mark.parametrize(
    ("context", "goals"),
    [
        ([], "wheelhouse ARCHITECTURE=arm64 model\n"),
        (
            ["-c", "worker_instance_type=m7i.xlarge", "-c", "primary_instance_type=c6i.xlarge"],
            "wheelhouse ARCHITECTURE=x86_64 model\n",
        ),
        (["--context=wheelhouse_path=/elsewhere"], "model\n"),
        (["-c", "wheelhouse_path=/elsewhere", "-c", "model_path=/elsewhere"], ""),
    ],
)
def test_make_is_told_what_to_make_first(context, goals, capsys):
    assert main(["goals", *context, "--profile", "someone", "--verbose"]) == 0
    assert capsys.readouterr().out == goals


def test_a_refused_value_is_one_sentence(capsys):
    assert main(["deploy", "-c", "n_core_nodes=0"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("fruits: the context key n_core_nodes is '0', which is not")
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["steps"], "-c steps has no value; give it as -c steps=..."),
        (
            ["environment=test", "environment=prod"],
            "the context key environment is given as test and as prod; give it once, as make "
            "ENVIRONMENT=...",
        ),
        (
            ["steps=run", "steps=none"],
            "the context key steps is given as run and as none; give it once",
        ),
    ],
)
def test_words_that_the_cdk_would_read_otherwise_are_refused(words, sentence):
    with pytest.raises(ConfigError, match=f"^{re.escape(sentence)}$"):
        read_config(words)


@pytest.mark.slow
def test_it_answers_without_the_cdk_and_without_aws():
    program = "import sys, operations.plan.__main__; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"aws_cdk", "jsii", "boto3"} & set(done.stdout.split())
