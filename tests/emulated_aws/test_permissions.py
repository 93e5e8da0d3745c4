"""Requests of a role of the project, held against the policies as they were deployed."""

import json
import urllib.request

import pytest
from botocore.exceptions import ClientError

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.permissions import RECORD_PATH, UNENCRYPTED

BUCKET, OPEN = "arn:aws:s3:::held", "arn:aws:s3:::held/open"
STACK = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack"


ROOT = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}


def statement(action, resource, **rest):
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def document(*statements):
    return {"Version": "2012-10-17", "Statement": statements}


def template():
    """Return a bucket, its key, and a job that may do in ``open/`` what steps do."""
    key = {"Fn::GetAtt": ["Key", "Arn"]}
    by_key = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}
    without_tls = {"Bool": {"aws:SecureTransport": "false"}}
    job = {"Service": "emr-serverless.amazonaws.com"}
    rights = document(
        statement(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], f"{OPEN}/*"),
        statement("s3:GetObject", f"{BUCKET}/unseen/*"),
        statement("s3:ListBucket", BUCKET, Condition={"StringLike": {"s3:prefix": "open/*"}}),
        statement(["kms:GenerateDataKey", "kms:Decrypt"], key),
        statement("cloudformation:DescribeStacks", f"{STACK}/held/*"),
    )
    everybody = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Condition": without_tls}
    resources = {
        "AWS::KMS::Key": {"KeyPolicy": document(statement("kms:*", "*", Principal=ROOT))},
        "AWS::S3::Bucket": {
            "BucketName": "held",
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": by_key}]
            },
        },
        "AWS::S3::BucketPolicy": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": document(statement("s3:*", f"{BUCKET}/*", **everybody)),
        },
        "AWS::IAM::Role": {
            "RoleName": "job",
            "AssumeRolePolicyDocument": document(
                {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": job}
            ),
        },
        "AWS::IAM::Policy": {
            "PolicyName": "job", "Roles": [{"Ref": "Role"}], "PolicyDocument": rights,
        },
    }  # fmt: skip
    return {
        kind.rpartition(":")[2]: {"Type": kind, "Properties": properties}
        for kind, properties in resources.items()
    }


@pytest.fixture(scope="module")
def keys(client):
    """Return the keys of the job."""
    body = json.dumps({"Resources": template()})
    client("cloudformation").create_stack(StackName="held", TemplateBody=body)
    role = f"arn:aws:iam::{ACCOUNT}:role/job"
    return client("sts").assume_role(RoleArn=role, RoleSessionName="job")["Credentials"]


@pytest.fixture
def s3(client, keys):
    return client("s3", keys)


def test_what_the_policies_allow_is_done(s3):
    s3.put_object(Bucket="held", Key="open/1", Body=b"1")
    assert s3.get_object(Bucket="held", Key="open/1")["Body"].read() == b"1"
    assert s3.list_objects_v2(Bucket="held", Prefix="open/")["KeyCount"] == 1


def test_what_no_policy_allows_is_refused(s3):
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="held", Key="closed/1", Body=b"1")
    for prefix in ({}, {"Prefix": "closed/"}):
        with pytest.raises(ClientError, match="AccessDenied"):
            s3.list_objects_v2(Bucket="held", **prefix)


def test_many_are_deleted_where_each_may_be(s3):
    def delete(*names):
        objects = [{"Key": name} for name in names]
        return s3.delete_objects(Bucket="held", Delete={"Objects": objects}).get("Errors", [])

    assert delete("open/2", "open/3") == []
    assert {error["Code"] for error in delete("open/2", "closed/1")} == {"AccessDenied"}


def test_a_missing_object_is_refused_to_who_may_not_list_it(s3):
    for key, status in (("open/none", 404), ("unseen/none", 403)):
        with pytest.raises(ClientError) as told:
            s3.head_object(Bucket="held", Key=key)
        assert told.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


def test_a_request_without_tls_is_refused(s3):
    def mark(request, **_):
        request.headers.add_header(*UNENCRYPTED)

    s3.meta.events.register("before-sign.s3.PutObject", mark)
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="held", Key="open/1", Body=b"1")


def test_what_the_emulator_cannot_judge_is_refused_at_once(s3):
    with pytest.raises(ClientError, match="AES256 None, which is not the bucket's own") as told:
        s3.put_object(Bucket="held", Key="open/1", Body=b"1", ServerSideEncryption="AES256")
    assert told.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_key_that_is_shut_shuts_the_bucket(client, s3):
    kms = client("kms")
    (key,) = kms.list_keys()["Keys"]

    def let_roles(action):
        policy = json.dumps(document(statement(action, "*", Principal=ROOT)))
        kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=policy)

    let_roles("kms:Decrypt")
    with pytest.raises(ClientError, match="AccessDenied"):
        s3.put_object(Bucket="held", Key="open/1", Body=b"1")
    let_roles("kms:*")
    s3.put_object(Bucket="held", Key="open/1", Body=b"1")


def test_other_services_are_asked_for_what_the_role_may_ask(client, keys):
    cloudformation = client("cloudformation", keys)
    assert cloudformation.describe_stacks(StackName="held")["Stacks"]
    for refused in (
        lambda: cloudformation.describe_stacks(StackName="others"),
        lambda: client("ssm", keys).get_parameter(Name="/held"),
        lambda: client("emr-serverless", keys).get_job_run(applicationId="a", jobRunId="r"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            refused()


def test_keys_that_are_not_those_of_the_role_are_refused(client, keys):
    forged = client("s3", {**keys, "SecretAccessKey": "guessed"})
    with pytest.raises(ClientError, match="SignatureDoesNotMatch"):
        forged.get_object(Bucket="held", Key="open/1")


def test_what_is_judged_is_recorded_with_its_policies(endpoint, s3):
    s3.put_object(Bucket="held", Key="open/recorded", Body=b"1")
    with urllib.request.urlopen(f"{endpoint}{RECORD_PATH}") as answer:
        record = json.load(answer)
    (found,) = (
        each for each in record["requests"] if each["accesses"][0]["resource"] == f"{OPEN}/recorded"
    )
    assert found["kind"] == "job"
    assert found["client"] == "Boto3"
    assert [each["action"] for each in found["accesses"]] == ["s3:PutObject", "kms:GenerateDataKey"]
    assert not found["is_refused"]
    assert record["policies"]["job"]["endpoint"] is None
