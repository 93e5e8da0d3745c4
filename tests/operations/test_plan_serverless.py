"""What make says of EMR Serverless: what a run can cost, and how one starts."""

import pytest

from operations.cdk.context import read_config
from operations.costs.run_costs import max_serverless_usd, serverless_capacity
from operations.plan import __main__ as plan
from operations.plan.compute import WIDTH


def said(capsys, about, *context):
    options = [word for pair in context for word in ("-c", pair)]
    assert plan.main([about, *options]) == 0
    return capsys.readouterr().out


@pytest.mark.parametrize("hours", [1, 6])
def test_it_costs_nothing_at_rest_and_a_run_has_a_most(hours, capsys):
    context = f"run_timeout_hours={hours}"
    text = " ".join(said(capsys, "deploy-serverless", context).split())
    usd = max_serverless_usd(serverless_capacity(read_config([context])), hours)
    assert "Between runs it costs nothing by the hour." in text
    assert f"A run costs at most {usd:.2f} USD: all vCPUs and all memory for {hours} hours" in text
    assert "with 16 vCPUs and 64 GB of memory at most" in text


@pytest.mark.parametrize(
    ("context", "start"),
    [
        ("environment=prod", "by '.venv/bin/fruits submit --serverless --environment prod'"),
        ("schedule=rate(1 day)", "by the clock: rate(1 day), in UTC"),
        ("start_on_marker=true", "when an object start/run comes into the bucket"),
    ],
)
def test_it_says_what_starts_a_run(capsys, context, start):
    assert start in said(capsys, "deploy-serverless", context)
    if not context.startswith("environment"):
        assert start not in said(capsys, "deploy-serverless")


def test_afterwards_it_says_how_a_run_is_started_and_what_ends_all(capsys):
    told = said(capsys, "after-deploy-serverless", "environment=prod", "alarm_email=a@b.de")
    assert told == (
        "start a run and follow it with: "
        ".venv/bin/fruits submit --serverless --follow --environment prod\n"
        "delete the application with: make destroy STACK=serverless ENVIRONMENT=prod\n"
    )


@pytest.mark.parametrize("about", ["deploy-serverless", "after-deploy-serverless"])
def test_it_says_aloud_that_nobody_is_told(capsys, about):
    assert "NOBODY IS TOLD" in said(capsys, about)
    assert "NOBODY" not in said(capsys, about, "alarm_email=a@b.de")


@pytest.mark.parametrize("about", ["deploy-serverless", "destroy-serverless"])
def test_it_fits_a_terminal(capsys, about):
    text = said(capsys, about, "environment=prod", "schedule=rate(1 day)", "start_on_marker=true")
    assert max(map(len, text.splitlines())) <= WIDTH
