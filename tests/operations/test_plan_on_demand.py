"""What make says of runs on demand: that they cost nothing at rest, and how they start."""

import pytest

from operations.plan import __main__ as plan
from operations.plan.compute import WIDTH


def said(capsys, about, *context):
    options = [word for pair in context for word in ("-c", pair)]
    assert plan.main([about, *options]) == 0
    return capsys.readouterr().out


def test_it_costs_nothing_at_rest_and_by_the_hour_while_it_runs(capsys):
    text = said(capsys, "deploy-on-demand")
    assert "At rest it costs nothing by the hour" in text
    assert "USD per hour" in text
    assert "each run makes one of 1 + 3 nodes, and ends it" in text


@pytest.mark.parametrize(
    ("context", "start"),
    [
        ("environment=prod", "by '.venv/bin/fruits submit --on-demand --environment prod'"),
        ("schedule=rate(1 day)", "by the clock: rate(1 day), in UTC"),
        ("start_on_marker=true", "when an object start/run comes into the bucket"),
    ],
)
def test_it_says_what_starts_a_run(capsys, context, start):
    assert start in said(capsys, "deploy-on-demand", context)
    if not context.startswith("environment"):
        assert start not in said(capsys, "deploy-on-demand")


def test_before_it_goes_a_run_has_to_end_or_is_stopped(capsys):
    text = " ".join(said(capsys, "destroy-on-demand", "environment=prod").split())
    assert "While a run is under way nothing is deleted" in text
    assert "with '.venv/bin/fruits status --on-demand --environment prod'" in text
    assert "with 'make destroy STACK=on-demand STOP=yes ENVIRONMENT=prod'" in text


def test_afterwards_it_says_how_a_run_is_started_and_followed(capsys):
    assert said(capsys, "after-deploy-on-demand", "environment=prod") == (
        "start a run with: .venv/bin/fruits submit --on-demand --environment prod\n"
        "then follow it with: .venv/bin/fruits status --on-demand --environment prod\n"
    )


@pytest.mark.parametrize("about", ["deploy-on-demand", "destroy-on-demand"])
def test_it_fits_a_terminal(capsys, about):
    text = said(capsys, about, "environment=prod", "schedule=rate(1 day)", "start_on_marker=true")
    assert max(map(len, text.splitlines())) <= WIDTH
