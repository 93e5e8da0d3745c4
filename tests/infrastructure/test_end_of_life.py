"""The cluster ends at a fixed time, however busy it is, by a role that can do nothing else."""

import json

import pytest

from tests.infrastructure.policies import listed
from tests.infrastructure.synthesis import ACCOUNT


def schedule_of(made):
    return made.compute.only("AWS::Scheduler::Schedule")


@pytest.mark.parametrize(("hours", "at"), [(8, "2026-01-31T20:00:00"), (24, "2026-02-01T12:00:00")])
def test_the_life_of_the_cluster_is_counted_from_its_deployment(make, hours, at):
    schedule = schedule_of(make(max_life_hours=hours))
    assert schedule["ScheduleExpression"] == f"at({at})"
    assert schedule["ScheduleExpressionTimezone"] == "UTC"
    assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_what_ends_is_the_cluster_of_the_stack(either):
    target = schedule_of(either)["Target"]
    (cluster,) = either.compute.resources("AWS::EMR::Cluster")
    assert target["Arn"] == "arn:aws:scheduler:::aws-sdk:emr:terminateJobFlows"
    assert json.loads(target["Input"]) == {"JobFlowIds": [cluster]}


def test_whoever_ends_it_can_end_nothing_else(either):
    (cluster,) = either.compute.resources("AWS::EMR::Cluster")
    roles = either.compute.resources("AWS::IAM::Role")
    (name,) = (name for name in roles if name.startswith("EndOfLife"))
    (statement,) = either.compute.policy_of(name)
    assert listed(statement["Action"]) == ["elasticmapreduce:TerminateJobFlows"]
    assert statement["Resource"] == (
        f"arn:aws:elasticmapreduce:eu-central-1:{ACCOUNT}:cluster/{cluster}"
    )
    (trust,) = roles[name]["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_a_run_on_demand_needs_no_such_guard_for_it_has_a_limit_of_its_own(made):
    assert made.on_demand.resources("AWS::Scheduler::Schedule") == {}
