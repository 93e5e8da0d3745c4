"""What the role of an erasure may do: evaluated, not read."""

import pytest

from tests.infrastructure.policies import allows
from tests.infrastructure.synthesis import ACCOUNT

ROLE = "ErasureRole"
ERASES = ("s3:GetObject", "s3:DeleteObjectVersion", "s3:AbortMultipartUpload")


@pytest.fixture(scope="module")
def role(made):
    roles = made.data.resources("AWS::IAM::Role")
    (name,) = (name for name in roles if name.startswith(ROLE))
    return name, roles[name]


@pytest.fixture(scope="module")
def statements(made, role):
    return made.data.policy_of(role[0])


@pytest.fixture(scope="module")
def bucket(made):
    outputs = made.data.outputs()
    return lambda name: f"arn:aws:s3:::{outputs[f'{name}BucketName']}"


@pytest.mark.parametrize(("name", "prefix"), [("Raw", "images"), ("Results", "chain")])
def test_it_may_find_and_remove_every_version_of_what_the_chain_knows(
    statements, bucket, name, prefix
):
    photograph = f"{bucket(name)}/{prefix}/somebody/1.jpg"
    for action in ERASES:
        assert allows(statements, action, photograph)
        assert not allows(statements, action, f"{bucket(name)}/elsewhere/1.jpg")
    for action in ("s3:ListBucket", "s3:ListBucketVersions"):
        assert allows(statements, action, bucket(name), **{"s3:prefix": f"{prefix}/somebody"})
        assert not allows(statements, action, bucket(name), **{"s3:prefix": "elsewhere/"})
    assert allows(statements, "s3:ListBucketMultipartUploads", bucket(name))


def test_it_may_write_results_and_no_photograph(statements, bucket):
    for action in ("s3:PutObject", "s3:DeleteObject"):
        assert allows(statements, action, f"{bucket('Results')}/chain/report/index.html")
        assert not allows(statements, action, f"{bucket('Raw')}/images/1.jpg")


@pytest.mark.parametrize(
    "action",
    [
        *("s3:BypassGovernanceRetention", "s3:PutObjectRetention", "s3:PutObjectLegalHold"),
        *("s3:PutLifecycleConfiguration", "s3:PutBucketPolicy", "s3:DeleteBucket"),
        *("s3:PutBucketVersioning", "s3:RestoreObject"),
    ],
)
def test_it_may_lift_no_lock_and_change_no_bucket(statements, bucket, action):
    for resource in (
        bucket("Raw"),
        f"{bucket('Raw')}/images/1.jpg",
        f"{bucket('Results')}/chain/x",
    ):
        assert not allows(statements, action, resource)


def test_it_may_read_no_log(statements, bucket):
    for name in ("Logs", "AccessLogs"):
        for action in ("s3:GetObject", "s3:ListBucket", "s3:DeleteObjectVersion"):
            assert not allows(statements, action, f"{bucket(name)}/emr/x")


def test_people_of_the_account_take_it_on_by_the_name_of_an_erasure_and_for_hours(role):
    trusted = role[1]["AssumeRolePolicyDocument"]["Statement"]
    principal = f"arn:aws:iam::{ACCOUNT}:root"
    for name, is_allowed in (("erasure-2026-11-27", True), ("erasure-", False), ("work", False)):
        session = {"sts:RoleSessionName": name}
        assert allows(trusted, "sts:AssumeRole", principal=principal, **session) is is_allowed
    assert not allows(trusted, "sts:AssumeRole", principal=principal)
    assert role[1]["MaxSessionDuration"] == 4 * 3600


def test_it_finds_the_stacks_of_its_environment(made, role, statements):
    on_cluster = made.compute.policy_of(role[0])
    action = "cloudformation:DescribeStacks"
    for allowed, name in ((statements, "fruits-test-data"), (on_cluster, "fruits-test-compute")):
        assert allows(allowed, action, _arn("cloudformation", f"stack/{name}/1"))
        assert not allows(allowed, action, _arn("cloudformation", f"stack/{name}-2/1"))


def test_it_runs_its_step_on_the_cluster_and_ends_nothing(made, role):
    on_cluster = made.compute.policy_of(role[0])
    (cluster_id,) = made.compute.resources("AWS::EMR::Cluster")
    cluster = _arn("elasticmapreduce", f"cluster/{cluster_id}")
    for action in ("AddJobFlowSteps", "DescribeCluster", "ListSteps"):
        assert allows(on_cluster, f"elasticmapreduce:{action}", cluster)
        elsewhere = _arn("elasticmapreduce", "cluster/j-1")
        assert not allows(on_cluster, f"elasticmapreduce:{action}", elsewhere)
    assert not allows(on_cluster, "elasticmapreduce:TerminateJobFlows", cluster)
    assert allows(on_cluster, "ssm:GetParameter", _arn("ssm", "parameter/fruits/test/erasure-step"))
    assert not allows(on_cluster, "ssm:GetParameter", _arn("ssm", "parameter/fruits/test/steps"))


def _arn(service, resource):
    return f"arn:aws:{service}:eu-central-1:{ACCOUNT}:{resource}"
