"""Which permissions requests to other services need: an action on a resource of this account."""

import pytest

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.api_permissions import api_accesses
from tests.emulated_aws.s3_permissions import Access


@pytest.mark.parametrize(
    ("action", "parameters", "resource"),
    [
        ("cloudformation:DescribeStacks", {"StackName": "s"}, "stack/s/1"),
        ("ssm:GetParameter", {"Name": "/fruits/test/step"}, "parameter/fruits/test/step"),
        ("elasticmapreduce:AddJobFlowSteps", {"JobFlowId": "j-1"}, "cluster/j-1"),
        ("elasticmapreduce:ListSteps", {"ClusterId": "j-1"}, "cluster/j-1"),
        (
            "emr-serverless:GetJobRun",
            {"applicationId": "a", "jobRunId": "r"},
            "/applications/a/jobruns/r",
        ),
    ],
)
def test_a_request_is_for_one_resource(action, parameters, resource):
    (access,) = api_accesses(action, parameters.get)
    service = action.partition(":")[0]
    assert access == Access(action, f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}")


def test_who_starts_a_job_passes_its_role():
    role = f"arn:aws:iam::{ACCOUNT}:role/job"
    parameters = {"applicationId": "a", "executionRoleArn": role}
    started, passed = api_accesses("emr-serverless:StartJobRun", parameters.get)
    service = {"iam:PassedToService": "emr-serverless.amazonaws.com"}
    assert passed == Access("iam:PassRole", role, service)
    with_tags = {**parameters, "tags": {"project": "fruits"}}
    _, _, *tagged = api_accesses("emr-serverless:StartJobRun", with_tags.get)
    assert {each.action for each in tagged} == {"emr-serverless:TagResource"}
    assert {each.resource.removeprefix(started.resource) for each in tagged} == {
        "",
        "/jobruns/new",
    }
    assert all(each.context == {"aws:RequestTag/project": "fruits"} for each in tagged)


def test_an_action_that_is_not_in_the_table_is_no_action_without_needs():
    with pytest.raises(LookupError, match="is not in the table; add it"):
        api_accesses("iam:CreateUser", {}.get)
