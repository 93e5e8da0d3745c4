"""What a node may do, and what EMR may do: evaluated, not read."""

import json

import pytest

from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ACCOUNT, ASSETS_BUCKET

INSTANCE_ROLE, SERVICE_ROLE = "InstanceRoleA57500A0", "ServiceRoleD777F2A1"
EMR, EC2 = "elasticmapreduce.amazonaws.com", "ec2.amazonaws.com"
TAG = "for-use-with-amazon-emr-managed-policies"
TAGGED, TAGGING = {f"aws:ResourceTag/{TAG}": "true"}, {f"aws:RequestTag/{TAG}": "true"}
BUCKET_ACTIONS = [
    *("s3:ListBucket", "s3:ListBucketVersions", "s3:DeleteBucket", "s3:PutBucketPolicy"),
    *("s3:PutLifecycleConfiguration", "s3:PutEncryptionConfiguration"),
    "s3:ListBucketMultipartUploads",
]
OBJECT_ACTIONS = [
    *("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:GetObjectVersion"),
    *("s3:DeleteObjectVersion", "s3:PutObjectAcl", "s3:RestoreObject"),
    *("s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"),
]


@pytest.fixture(scope="module")
def node(made):
    """Return the statements of the role of a node."""
    return made.compute.policy_of(INSTANCE_ROLE)


@pytest.fixture(scope="module")
def service(made):
    return made.compute.policy_of(SERVICE_ROLE)


@pytest.fixture(scope="module")
def place(made):
    """Return a function from ``raw/images/x`` to an ARN."""
    buckets = {
        name.removesuffix("BucketName").lower(): f"arn:aws:s3:::{bucket}"
        for name, bucket in made.data.outputs().items()
        if name.endswith("BucketName")
    }

    def arn(path):
        bucket, slash, key = path.partition("/")
        return f"{buckets[bucket]}{slash}{key}"

    return arn


def ec2_arn(resource, *, account=ACCOUNT, region="eu-central-1"):
    return f"arn:aws:ec2:{region}:{account}:{resource}/x-0"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("raw/images/apple/1.jpg", {"s3:GetObject"}),
        ("raw/other/1.jpg", set()),
        ("raw/images-of-others/1.jpg", set()),
        (
            "results/chain/features/part-0",
            {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
        ),
        ("results/chained", set()),
        (
            "results/notebooks/walkthrough-1/source/walkthrough.ipynb",
            {"s3:GetObject", "s3:PutObject"},
        ),
        ("results/x", set()),
        ("logs/emr/j-1/steps/s-1/stderr.gz", {"s3:PutObject", "s3:PutObjectAcl"}),
        ("logs/other", set()),
        (
            "logs/spark-events/eventlog_v2_1/events_1",
            {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"},
        ),
        ("accesslogs/raw/1", set()),
    ],
)
def test_a_node_does_in_each_place_what_it_is_for(node, place, path, allowed):
    assert {a for a in OBJECT_ACTIONS if allows(node, a, place(path))} == allowed
    bucket = path.partition("/")[0]
    assert not {a for a in BUCKET_ACTIONS if allows(node, a, place(bucket))}


def test_a_node_only_puts_logs_and_in_narrow_without_their_acl(made, changed, place):
    log = place("logs/emr/j-1/steps/s-1/stderr.gz")
    statements = changed.compute.policy_of(INSTANCE_ROLE)
    assert {a for a in OBJECT_ACTIONS if allows(statements, a, log)} == {"s3:PutObject"}
    for compute in (made.compute, changed.compute):
        (endpoint,) = (
            each["PolicyDocument"]["Statement"]
            for each in compute.resources("AWS::EC2::VPCEndpoint").values()
            if "PolicyDocument" in each
        )
        node = compute.policy_of(INSTANCE_ROLE)
        for action in ("s3:PutObject", "s3:PutObjectAcl"):
            assert allows(endpoint, action, log, principal="x") is allows(node, action, log)


@pytest.mark.parametrize("key", ["images/apple/1.jpg", "images/", "x"])
def test_a_node_cannot_delete_or_overwrite_a_photograph(node, place, key):
    for action in ("s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectAcl"):
        assert not allows(node, action, place(f"raw/{key}"))


@pytest.mark.parametrize(
    ("bucket", "prefix", "allowed"),
    [
        ("raw", "images/", True),
        ("raw", "images/apple/", True),
        ("raw", "", False),
        ("raw", "other/", False),
        ("results", "chain/runs/", True),
        ("results", "elsewhere/", False),
        ("results", "notebooks/", False),
        ("logs", "emr/", False),
        ("logs", "spark-events/eventlog_v2_1/", True),
    ],
)
def test_a_node_lists_only_its_prefixes(node, place, bucket, prefix, allowed):
    listing = allows(node, "s3:ListBucket", place(bucket), **{"s3:prefix": prefix})
    assert listing is allowed
    assert not allows(node, "s3:ListBucket", place(bucket))


def test_a_node_reads_its_own_assets_and_no_others(made, node):
    (bootstrap,) = made.compute.only("AWS::EMR::Cluster")["BootstrapActions"]
    scripts = [bootstrap["ScriptBootstrapAction"]["Path"]]
    steps = json.loads(made.compute.parameter("Steps")["Value"])
    uris = {a for step in steps for a in step["arguments"] if ASSETS_BUCKET in a}
    uris |= {scripts[0], bootstrap["ScriptBootstrapAction"]["Args"][0]}
    assert len(uris) == 7
    for uri in uris:
        arn = uri.replace("s3://", "arn:aws:s3:::")
        assert {a for a in OBJECT_ACTIONS if allows(node, a, arn)} == {"s3:GetObject"}
    assert not allows(node, "s3:GetObject", f"arn:aws:s3:::{ASSETS_BUCKET}/{'0' * 64}.zip")
    assert not allows(node, "s3:ListBucket", f"arn:aws:s3:::{ASSETS_BUCKET}")


def test_a_node_uses_the_key_and_cannot_manage_it(made, node):
    key = made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    for action in ("kms:Decrypt", "kms:GenerateDataKey"):
        assert allows(node, action, key)
        assert not allows(node, action, key.replace("Storage", "Other"))
    for action in ("kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"):
        assert not allows(node, action, key)


def test_a_node_has_rights_in_s3_and_kms_and_for_sessions_where_configured(made, changed):
    for each, added in ((made, set()), (changed, {"ssm", "ssmmessages"})):
        statements = each.compute.policy_of(INSTANCE_ROLE)
        services = {a.partition(":")[0] for s in statements for a in listed(s["Action"])}
        assert services == {"s3", "kms"} | added


@pytest.mark.parametrize("role", [INSTANCE_ROLE, SERVICE_ROLE])
def test_no_role_has_a_policy_of_aws_or_an_action_wildcard_but_for_logs(either, role):
    statements = either.compute.policy_of(role)
    wildcards = [a for s in statements for a in listed(s["Action"]) if "*" in a]
    assert wildcards == (["s3:Put*"] if role == INSTANCE_ROLE else [])
    assert not {"ManagedPolicyArns", "Policies"} & either.compute.of(role)["Properties"].keys()


@pytest.mark.parametrize(
    ("role", "principal"), [(INSTANCE_ROLE, EC2), (SERVICE_ROLE, EMR)], ids=["node", "service"]
)
def test_each_role_is_taken_on_by_one_service(made, role, principal):
    trust = made.compute.resources("AWS::IAM::Role")[role]["AssumeRolePolicyDocument"]
    (statement,) = trust["Statement"]
    assert statement["Action"] == "sts:AssumeRole"
    assert statement["Principal"] == {"Service": principal}


@pytest.mark.parametrize(
    ("account", "region", "allowed"),
    [
        (ACCOUNT, "eu-central-1", True),
        ("999999999999", "eu-central-1", False),
        (ACCOUNT, "us-east-1", False),
    ],
)
def test_emr_takes_on_the_service_role_for_this_account_and_region(made, account, region, allowed):
    trust = made.compute.resources("AWS::IAM::Role")[SERVICE_ROLE]["AssumeRolePolicyDocument"]
    source = {
        "aws:SourceAccount": account,
        "aws:SourceArn": f"arn:aws:elasticmapreduce:{region}:{account}:cluster/j-1",
    }
    taken = allows(trust["Statement"], "sts:AssumeRole", principal=EMR, **source)
    assert taken is allowed
    assert not allows(trust["Statement"], "sts:AssumeRole", principal=EMR)


@pytest.mark.parametrize(
    ("role", "to", "allowed"),
    [
        (INSTANCE_ROLE, EC2, True),
        (INSTANCE_ROLE, "lambda.amazonaws.com", False),
        (SERVICE_ROLE, EC2, False),
        ("Administrator", EC2, False),
    ],
)
def test_emr_passes_the_role_of_a_node_to_ec2_and_no_other(service, role, to, allowed):
    arn = f"arn:aws:iam::{ACCOUNT}:role/{role}"
    assert allows(service, "iam:PassRole", arn, **{"iam:PassedToService": to}) is allowed
    assert not allows(service, "iam:PassRole", arn)


@pytest.mark.parametrize(
    ("role", "service_name", "allowed"),
    [
        ("spot.amazonaws.com/AWSServiceRoleForEC2Spot", "spot.amazonaws.com", True),
        ("spot.amazonaws.com/AWSServiceRoleForEC2Spot", "ec2.amazonaws.com", False),
        ("spotfleet.amazonaws.com/AWSServiceRoleForEC2SpotFleet", "spot.amazonaws.com", False),
    ],
)
def test_emr_makes_the_role_of_the_first_spot_node_and_no_other(
    service, role, service_name, allowed
):
    arn = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{role}"
    named = {"iam:AWSServiceName": service_name}
    assert allows(service, "iam:CreateServiceLinkedRole", arn, **named) is allowed
    assert not allows(service, "iam:CreateServiceLinkedRole", arn)


def test_the_profile_of_a_node_bears_the_name_of_its_role(made):
    """EMR refuses any other as an invalid instance profile."""
    profile = made.compute.only("AWS::IAM::InstanceProfile")
    assert [profile["InstanceProfileName"]] == profile["Roles"]


@pytest.mark.parametrize(
    ("action", "resource", "tags"),
    [
        *(("ec2:RunInstances", resource, TAGGED) for resource in ("subnet", "security-group")),
        *(("ec2:RunInstances", resource, TAGGING) for resource in ("instance", "volume")),
        ("ec2:CreateFleet", "subnet", TAGGED),
        ("ec2:CreateLaunchTemplate", "launch-template", TAGGING),
        ("ec2:CreateNetworkInterface", "network-interface", TAGGING),
        ("ec2:TerminateInstances", "instance", TAGGED),
        ("ec2:DeleteVolume", "volume", TAGGED),
        ("ec2:DeleteNetworkInterface", "network-interface", TAGGED),
        ("ec2:DeleteLaunchTemplate", "launch-template", TAGGED),
    ],
)
def test_emr_starts_and_ends_what_carries_its_tag_and_nothing_else(service, action, resource, tags):
    assert allows(service, action, ec2_arn(resource), **tags)
    assert not allows(service, action, ec2_arn(resource))
    assert not allows(service, action, ec2_arn(resource, account="999999999999"), **tags)
    assert not allows(service, action, ec2_arn(resource, region="us-east-1"), **tags)


def test_emr_starts_nodes_from_images_of_any_account_in_this_region(service):
    assert allows(service, "ec2:RunInstances", ec2_arn("image", account=""))
    assert not allows(service, "ec2:RunInstances", ec2_arn("image", account="", region="us-east-1"))


@pytest.mark.parametrize(("region", "allowed"), [("eu-central-1", True), ("us-east-1", False)])
def test_emr_looks_around_in_this_region_only(service, region, allowed):
    found = allows(service, "ec2:DescribeInstances", **{"aws:RequestedRegion": region})
    assert found is allowed


def test_emr_gives_the_key_to_disks_only(made, service):
    key = made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    for_aws = {"kms:GrantIsForAWSResource": "true"}
    assert allows(service, "kms:CreateGrant", key, **for_aws)
    assert not allows(service, "kms:CreateGrant", key)
    assert not allows(service, "kms:CreateGrant", key.replace("Storage", "Other"), **for_aws)


@pytest.mark.parametrize("verb", ["Authorize", "Revoke"])
@pytest.mark.parametrize("direction", ["Ingress", "Egress"])
def test_emr_changes_rules_of_tagged_groups_as_documented_and_none_in_narrow(
    changed, service, verb, direction
):
    action, group = f"ec2:{verb}SecurityGroup{direction}", ec2_arn("security-group")
    assert allows(service, action, group, **TAGGED)
    assert not allows(service, action, group)
    narrow = changed.compute.policy_of(SERVICE_ROLE)
    assert not allows(narrow, action, group, **TAGGED)


def test_without_spot_nodes_nobody_makes_their_role(least):
    statements = least.compute.policy_of(SERVICE_ROLE)
    assert "iam:CreateServiceLinkedRole" not in str(statements)


def test_emr_changes_neither_roles_nor_data(service):
    actions = {action for statement in service for action in listed(statement["Action"])}
    assert {a for a in actions if not a.startswith(("ec2:", "kms:"))} == {
        "iam:PassRole",
        "iam:CreateServiceLinkedRole",
    }


@pytest.mark.parametrize("role", [INSTANCE_ROLE, SERVICE_ROLE])
def test_whatever_can_be_confined_to_the_account_is(either, role):
    for statement in either.compute.policy_of(role):
        for arn in listed(statement["Resource"]):
            if arn == "*":
                actions = listed(statement["Action"])
                assert all(action.startswith("ec2:Describe") for action in actions)
            elif not arn.startswith("arn:aws:s3:::"):
                assert ACCOUNT in arn or arn == "arn:aws:ec2:eu-central-1::image/*"
