"""At a fixed time the cluster ends and its stack goes, by a role that can do nothing else."""

import json

import pytest

from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ACCOUNT

CALL = "arn:aws:scheduler:::aws-sdk:"
DELETE_STACK, PASS_ROLE = "cloudformation:DeleteStack", "iam:PassRole"
CDK_ROLE = f"arn:aws:iam::{ACCOUNT}:role/cdk-hnb659fds-cfn-exec-role-{ACCOUNT}-eu-central-1"


def schedules_of(made):
    """Return the schedules by what they call."""
    schedules = made.compute.resources("AWS::Scheduler::Schedule").values()
    return {each["Target"]["Arn"].removeprefix(CALL): each for each in schedules}


def stack_id_of(made):
    return made.compute.resolve({"Ref": "AWS::StackId"})


def role_of(made):
    roles = made.compute.resources("AWS::IAM::Role")
    (name,) = (name for name in roles if name.startswith("MaximumLifetime"))
    return made.compute.policy_of(name), roles[name]["AssumeRolePolicyDocument"]["Statement"]


def test_the_life_of_the_cluster_is_counted_from_its_deployment(made, changed):
    for each, at in ((made, "2026-01-31T20:00:00"), (changed, "2026-02-07T12:00:00")):
        for schedule in schedules_of(each).values():
            assert schedule["ScheduleExpression"] == f"at({at})"
            assert schedule["ScheduleExpressionTimezone"] == "UTC"
            assert schedule["FlexibleTimeWindow"] == {"Mode": "OFF"}


def test_what_ends_is_the_cluster_and_the_stack_that_it_is_in(either):
    (cluster,) = either.compute.resources("AWS::EMR::Cluster")
    called = {
        call: json.loads(each["Target"]["Input"]) for call, each in schedules_of(either).items()
    }
    assert called == {
        "emr:terminateJobFlows": {"JobFlowIds": [cluster]},
        "cloudformation:deleteStack": {"StackName": stack_id_of(either)},
    }


def test_whoever_ends_it_can_end_nothing_else(either):
    (cluster,) = either.compute.resources("AWS::EMR::Cluster")
    statements, (trust,) = role_of(either)
    rights = {(each["Resource"], *listed(each["Action"])) for each in statements}
    assert rights == {
        (
            f"arn:aws:elasticmapreduce:eu-central-1:{ACCOUNT}:cluster/{cluster}",
            "elasticmapreduce:TerminateJobFlows",
        ),
        (stack_id_of(either), DELETE_STACK),
        (CDK_ROLE, PASS_ROLE),
    }
    assert trust["Principal"] == {"Service": "scheduler.amazonaws.com"}
    assert trust["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


@pytest.mark.parametrize(
    ("service", "allowed"), [("cloudformation", True), ("ec2", False), ("lambda", False)]
)
def test_the_role_of_the_cdk_is_passed_to_cloudformation_alone(made, service, allowed):
    statements, _ = role_of(made)
    to = {"iam:PassedToService": f"{service}.amazonaws.com"}
    assert allows(statements, PASS_ROLE, CDK_ROLE, **to) is allowed
