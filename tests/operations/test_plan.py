"""Plans that are printed before and after deployments and deletions."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from operations import cli
from operations.cdk.configuration import read_config
from operations.costs.run_costs import max_serverless_usd, serverless_capacity
from operations.plain_text import WIDTH
from operations.plan.deploy_plan import (
    after_deploy_serverless_text,
    after_deploy_text,
    deploy_serverless_text,
    deploy_text,
)
from operations.plan.destroy_plan import (
    destroy_compute_text,
    destroy_data_text,
    destroy_serverless_text,
)
from spark_assets.errors import FruitsError

ROOT = Path(__file__).resolve().parents[2]
TEXTS = [
    deploy_text,
    deploy_serverless_text,
    after_deploy_text,
    after_deploy_serverless_text,
    destroy_compute_text,
    destroy_serverless_text,
    destroy_data_text,
]


def plan(text, *context):
    """Return a plan as one line, with single spaces."""
    return " ".join(text(read_config(context)).split())


@pytest.mark.parametrize(
    ("text", "context", "parts"),
    [
        (
            deploy_text,
            (),
            [
                "in eu-central-1, environment test",
                "1 primary node: m7g.xlarge (4 vCPUs, 16 GiB), on demand",
                "1 core node: m7g.xlarge (4 vCPUs, 16 GiB), on demand",
                "2 task nodes: m7g.xlarge or m6g.xlarge, Spot or else on demand",
                "30 + 64 GiB of encrypted disk per node",
                "featurize, reduce and report, submitted when the cluster is ready",
                "one isolated subnet in eu-central-1a",
                "2 interface endpoints",
                "buckets photographs, results, step logs and access logs",
                # What it costs.
                "Estimated cost in USD per hour:",
                "primary node 0.196 core nodes 0.196 task nodes (Spot) 0.157 EMR 0.163 disks 0.049",
                "endpoints 0.024 sum 0.785 (1.020 without Spot capacity)",
                "read 2025-04 to 2026-08. Assumed: Frankfurt is about a fifth above N. Virginia;",
                "Not included: requests, flow logs, taxes",
                "about 1.00 USD per month and 2.45 per 100 GB",
                "'fruits destroy --stack data' deletes them too",
            ],
        ),
        (
            deploy_text,
            ("idle_timeout_minutes=7", "max_life_hours=3"),
            [
                "after 7 idle minutes; its network stays, at 0.024 USD per hour",
                "3 hours after the deployment, whatever runs, or with 'fruits destroy'",
            ],
        ),
        (deploy_text, ("steps=run",), ["in the stack of the cluster"]),
        (
            deploy_text,
            ("session_manager=true",),
            ["4 interface endpoints, two of them for Session Manager"],
        ),
        (
            deploy_text,
            ("in_transit_certificates=false",),
            ["NO ENCRYPTION between the nodes: for sample photographs only"],
        ),
        (deploy_text, ("environment=prod",), ["'fruits destroy --environment prod'"]),
        (
            after_deploy_text,
            ("environment=prod",),
            [
                "run the steps again with: fruits submit --follow --environment prod",
                "fruits destroy --environment prod",
            ],
        ),
        (
            after_deploy_serverless_text,
            ("environment=prod",),
            [
                "a run and follow it with: fruits submit --serverless --follow --env",
                "delete the application with: fruits destroy --stack serverless --environment prod",
            ],
        ),
        (
            destroy_compute_text,
            (),
            [
                "deleted the cluster with its disks",
                "kept photographs, results, logs and key, for about 1.00 USD per month and 2.45",
            ],
        ),
        (destroy_serverless_text, (), ["deleted the application", "kept photographs, results"]),
        (
            destroy_data_text,
            (),
            ["deleted for good: every photograph, result and log, with all their versions"],
        ),
        (destroy_data_text, ("environment=prod",), ["deleted nothing kept prod keeps"]),
    ],
)
def test_a_plan_names_contents_cost_and_end(text, context, parts):
    found = plan(text, *context)
    assert [part for part in parts if part not in found] == []


@pytest.mark.parametrize("text", [deploy_text, destroy_compute_text, destroy_data_text])
def test_prod_keeps_its_data(text):
    found = plan(text, "environment=prod")
    assert "prod keeps photographs, results, logs and key: no command deletes them" in found
    assert "deletes them too" not in found


def test_without_task_nodes_spot_is_a_price_of_nothing():
    found = plan(deploy_text, "n_task_nodes=0")
    assert "0 task nodes" in found
    assert "task nodes (Spot) 0.000" in found
    assert "without Spot" not in found


@pytest.mark.parametrize("hours", [1, 6])
def test_serverless_costs_nothing_at_rest_and_has_a_maximum_per_run(hours):
    context = f"run_timeout_hours={hours}"
    usd = max_serverless_usd(serverless_capacity(read_config([context])), hours)
    found = plan(deploy_serverless_text, context)
    assert "nothing per hour between runs" in found
    assert f"{usd:.2f} USD at most per run: full capacity for {hours} hours" in found
    assert "at most 16 vCPUs and 64 GB of memory" in found


@pytest.mark.parametrize(
    ("context", "start"),
    [
        ("environment=prod", "by 'fruits submit --serverless --environment prod'"),
        ("schedule=rate(1 day)", "on the schedule rate(1 day), in UTC"),
        ("start_on_marker=true", "by an object start/run in the bucket"),
    ],
)
def test_a_plan_names_what_starts_a_run(context, start):
    assert start in plan(deploy_serverless_text, context)
    assert start not in plan(deploy_serverless_text)


@pytest.mark.parametrize("text", [each for each in TEXTS if "deploy" in each.__name__])
def test_a_missing_address_is_a_warning(text):
    found = plan(text)
    assert "NO NOTICES of failures, idle clusters and cost" in found
    assert "-c alarm_email=you@example.org" in found
    assert "NO NOTICES" not in plan(text, "alarm_email=team@example.org")


@pytest.mark.parametrize("text", TEXTS, ids=lambda text: text.__name__)
@pytest.mark.parametrize(
    "context",
    [
        ("environment=prod", "steps=none", "n_task_nodes=0", "session_manager=true"),
        (
            "primary_instance_type=m7i.16xlarge",
            "worker_instance_type=m7i.16xlarge",
            "n_core_nodes=100",
            "n_task_nodes=100",
            "schedule=rate(1 day)",
        ),
    ],
)
def test_every_plan_fits_a_terminal(text, context):
    lines = text(read_config(context)).splitlines()
    assert max(map(len, lines)) <= WIDTH
    assert [line for line in lines if line != line.rstrip()] == []


def test_a_refused_value_is_one_sentence(capsys):
    assert cli.main(["plan", "-c", "n_core_nodes=0"]) == 1
    captured = capsys.readouterr()
    assert captured.err.startswith("fruits: the context key n_core_nodes is '0', which is not")
    assert captured.out == ""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["steps"], "-c steps has no value; give it as -c steps=..."),
        (
            ["environment=test", "environment=prod"],
            "the context key environment has the values test and prod; give it once, with "
            "--environment",
        ),
        (
            ["steps=run", "steps=none"],
            "the context key steps has the values run and none; give it once",
        ),
    ],
)
def test_words_that_the_cdk_would_read_otherwise_are_refused(words, sentence):
    with pytest.raises(FruitsError, match=f"^{re.escape(sentence)}$"):
        read_config(words)


@pytest.mark.slow
def test_a_plan_does_without_the_cdk():
    program = "import sys, operations.commands.plan; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not {"aws_cdk", "jsii"} & set(done.stdout.split())
