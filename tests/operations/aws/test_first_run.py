"""What is told of a first run: an answer for each question, or that it was not seen yet."""

import gzip
import io
import json
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import ANY, Stubber

from cdk_app.config import REGION
from operations.aws.first_run import (
    Call,
    count_outcomes,
    first_run_lines,
    recorded_calls,
)

ACCOUNT = "123456789012"
CLUSTER = {
    "Status": {"State": "WAITING", "StateChangeReason": {"Message": "ready"}},
    "SecurityConfiguration": "secured",
}
SECURITY = {
    "EncryptionConfiguration": {
        "EnableInTransitEncryption": True,
        "AtRestEncryptionConfiguration": {
            "S3EncryptionConfiguration": {"EncryptionMode": "SSE-KMS"}
        },
    }
}


def event(name, *, role="", service="", error=""):
    identity = {"sessionContext": {"sessionIssuer": {"userName": role}}, "invokedBy": service}
    told = {"eventName": name, "userIdentity": identity} | ({"errorCode": error} if error else {})
    return {"EventName": name, "CloudTrailEvent": json.dumps(told)}


class Stubs:
    """Clients that answer by the models of their services alone, as often as they are told to."""

    def __init__(self):
        self._clients = {}

    def __call__(self, service):
        if service not in self._clients:
            self.add(service)
        return self._clients[service]

    def add(self, service):
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service, region_name=REGION, aws_access_key_id="x", aws_secret_access_key="x"
            )
        stubber = Stubber(self._clients[service])
        stubber.activate()
        return stubber


@pytest.fixture
def stubs():
    return Stubs()


def outputs(name, **values):
    told = [{"OutputKey": key, "OutputValue": value} for key, value in values.items()]
    stack = {"StackName": name, "StackStatus": "CREATE_COMPLETE", "Outputs": told}
    return {"Stacks": [stack | {"CreationTime": datetime(2026, 11, 29, tzinfo=UTC)}]}


def deployed(stubs):
    """Answer as an account in which all was seen."""
    cloudformation = stubs.add("cloudformation")
    compute = outputs("fruits-test-compute", ClusterId="j-1", LogUri="s3://logs/emr/")
    for _ in range(3):
        cloudformation.add_response("describe_stacks", compute)
    arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:fruits-test-serverless"
    cloudformation.add_response(
        "describe_stacks", outputs("fruits-test-serverless", StateMachineArn=arn)
    )
    budget = {
        "StackId": "s",
        "EventId": "e",
        "StackName": "fruits-test-data",
        "Timestamp": datetime(2026, 11, 29, tzinfo=UTC),
        "ResourceType": "AWS::Budgets::Budget",
        "ResourceStatus": "CREATE_FAILED",
        "ResourceStatusReason": f"Account {ACCOUNT} is a linked account",
    }
    bucket = budget | {"ResourceType": "AWS::S3::Bucket", "ResourceStatus": "CREATE_COMPLETE"}
    cloudformation.add_response("describe_stack_events", {"StackEvents": [bucket, budget]})
    emr = stubs.add("emr")
    security = {"SecurityConfiguration": json.dumps(SECURITY)}
    steps = [{"Status": {"State": state}} for state in ("COMPLETED", "FAILED")]
    for more in ([], [("list_steps", {"Steps": steps})]):
        emr.add_response("describe_cluster", {"Cluster": CLUSTER}, {"ClusterId": "j-1"})
        emr.add_response("describe_security_configuration", security, {"Name": "secured"})
        for name, answer in more:
            emr.add_response(name, answer)
    s3 = stubs.add("s3")
    key = "emr/j-1/node/i-1/bootstrap-actions/1/stdout.gz"
    s3.add_response(
        "list_objects_v2",
        {"Contents": [{"Key": "emr/j-1/node/i-1/daemons/x.gz"}, {"Key": key}]},
        {"Bucket": "logs", "Prefix": "emr/j-1/node/"},
    )
    log = gzip.compress(b"bootstrap: python3.11 comes from the image\nbootstrap: installed\n")
    s3.add_response("get_object", {"Body": io.BytesIO(log)}, {"Bucket": "logs", "Key": key})
    states = stubs.add("stepfunctions")
    moment = datetime(2026, 11, 29, tzinfo=UTC)
    execution = {"executionArn": "x", "stateMachineArn": arn, "name": "n", "startDate": moment}
    states.add_response("list_executions", {"executions": [execution | {"status": "FAILED"}]})
    failed = {"resourceType": "t", "resource": "r", "error": "EMRServerless.ValidationException"}
    history = [
        {"timestamp": moment, "type": "TaskFailed", "id": 2, "taskFailedEventDetails": failed}
    ]
    states.add_response("get_execution_history", {"events": history})
    trail = [
        event("AuthorizeSecurityGroupIngress", service="elasticmapreduce.amazonaws.com"),
        event(
            "AuthorizeSecurityGroupIngress",
            service="elasticmapreduce.amazonaws.com",
            error="Client.InvalidPermission.Duplicate",
        ),
        event("AuthorizeSecurityGroupIngress", service="cloudformation.amazonaws.com"),
        event("DeleteSecret", service="elasticmapreduce.amazonaws.com"),
        event("CreateFleet", role="fruits-test-compute-Role", error="Client.UnauthorizedOperation"),
        event("CreateFleet", role="fruits-test-compute-Role"),
        event("CreateFleet", role="somebody-else", error="Client.UnauthorizedOperation"),
    ]
    stubs.add("cloudtrail").add_response(
        "lookup_events",
        {"Events": trail},
        {
            "LookupAttributes": [{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
            "StartTime": ANY,
        },
    )


def test_each_question_has_its_answer_and_where_it_was_seen(stubs):
    deployed(stubs)
    lines = list(first_run_lines("test", stubs))
    assert lines == [
        "Do nodes start with EMR's certificates and without NAT: "
        "with certificates, WAITING (ready) (EMR)",
        "Does EMR take encryption of S3 for S3A: SSE-KMS; 1 of 2 steps completed (EMR)",
        "Is python3.11 on the image: it comes from the image (log of the bootstrap action)",
        "How does Step Functions name a failed job: EMRServerless.ValidationException "
        "(Step Functions)",
        "Does the account take the budget: CREATE_FAILED (Account <account> is a linked account) "
        "(CloudFormation)",
        "Does EMR ask for rules of security groups: 1 x AuthorizeSecurityGroupIngress, "
        "Client.InvalidPermission.Duplicate; 1 x AuthorizeSecurityGroupIngress, ok (CloudTrail)",
        "What becomes of a schedule that is changed: not seen yet (CloudTrail)",
        "Does EMR delete the secret of its certificates: 1 x DeleteSecret, ok (CloudTrail)",
        "Which rights do the roles of the stacks lack: 1 x CreateFleet, "
        "Client.UnauthorizedOperation (CloudTrail)",
    ]


def test_of_an_account_without_stacks_nothing_was_seen_yet(stubs):
    cloudformation = stubs.add("cloudformation")
    for _ in range(4):
        cloudformation.add_client_error("describe_stacks", "ValidationError", "x does not exist")
    cloudformation.add_response("describe_stack_events", {"StackEvents": []})
    stubs.add("cloudtrail").add_response("lookup_events", {"Events": []})
    lines = list(first_run_lines("test", stubs))
    assert len(lines) == 9
    assert all(": not seen yet (" in line for line in lines)


def test_a_right_that_is_missing_is_told_in_the_place_of_the_answer(stubs):
    cloudformation = stubs.add("cloudformation")
    for _ in range(4):
        cloudformation.add_client_error("describe_stacks", "AccessDenied")
    cloudformation.add_client_error("describe_stack_events", "AccessDenied")
    stubs.add("cloudtrail").add_client_error("lookup_events", "AccessDeniedException")
    lines = list(first_run_lines("test", stubs))
    assert len(lines) == 9
    assert all(": not known: AWS denies you " in line for line in lines)


def test_calls_of_a_service_are_those_of_nobody_else(stubs):
    stubs.add("cloudtrail").add_response(
        "lookup_events", {"Events": [event("DeleteSecret"), event("DeleteSecret", role="r")]}
    )
    calls = recorded_calls(stubs("cloudtrail"))
    assert calls == [Call("DeleteSecret", "", "", ""), Call("DeleteSecret", "r", "", "")]
    assert count_outcomes(calls, lambda call: call.by_emr) == ""
