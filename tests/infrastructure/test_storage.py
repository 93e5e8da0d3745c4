"""The buckets and their key: private, encrypted, recoverable, and gone only where that is meant."""

import json

import pytest

from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ACCOUNT, STACKS

# Pinned: another logical id is another bucket, and the data of the first are lost to the app.
KEY, ACCESS_LOGS, LOGS, RAW, RESULTS = (
    "StorageKeyBAA9457B",
    "StorageAccessLogs96FB524C",
    "StorageLogs2A2D4D26",
    "StorageRaw7E344C76",
    "StorageResultsB2A4FB2E",
)
LOGGED = (LOGS, RAW, RESULTS)
BUCKETS = (ACCESS_LOGS, *LOGGED)


def rules_of(stack, bucket):
    properties = stack.resources("AWS::S3::Bucket")[bucket]
    return {rule["Id"]: rule for rule in properties["LifecycleConfiguration"]["Rules"]}


def encryption_of(stack, bucket):
    properties = stack.resources("AWS::S3::Bucket")[bucket]
    (default,) = properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    return default


def policy_of(stack, bucket):
    name = stack.resolve({"Ref": bucket})
    (statements,) = (
        policy["PolicyDocument"]["Statement"]
        for policy in stack.resources("AWS::S3::BucketPolicy").values()
        if policy["Bucket"] == name
    )
    return statements


def test_the_stateful_resources_keep_their_logical_ids(either):
    data = either.data
    assert set(data.resources("AWS::S3::Bucket")) == set(BUCKETS)
    assert set(data.resources("AWS::KMS::Key")) == {KEY}


def test_every_bucket_is_versioned_private_and_owned_by_the_account(either):
    either.data_template.all_resources_properties(
        "AWS::S3::Bucket",
        {
            "VersioningConfiguration": {"Status": "Enabled"},
            "PublicAccessBlockConfiguration": {
                "BlockPublicAcls": True,
                "BlockPublicPolicy": True,
                "IgnorePublicAcls": True,
                "RestrictPublicBuckets": True,
            },
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
        },
    )


@pytest.mark.parametrize("bucket", LOGGED)
def test_photographs_results_and_step_logs_are_encrypted_with_the_key(either, bucket):
    assert encryption_of(either.data, bucket) == {
        "BucketKeyEnabled": True,
        "ServerSideEncryptionByDefault": {
            "KMSMasterKeyID": either.data.resolve({"Fn::GetAtt": [KEY, "Arn"]}),
            "SSEAlgorithm": "aws:kms",
        },
    }


def test_access_logs_are_encrypted_with_keys_of_s3_for_it_delivers_to_no_others(either):
    default = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    assert encryption_of(either.data, ACCESS_LOGS) == default


def test_the_key_rotates_and_can_be_saved_for_a_week(either):
    key = either.data.only("AWS::KMS::Key")
    assert key["EnableKeyRotation"] is True
    assert key["PendingWindowInDays"] == 7


def test_the_key_serves_this_account_and_the_services_that_write_logs_and_notices(either):
    statements = either.data.only("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    principals = [p for s in statements for each in s["Principal"].values() for p in listed(each)]
    assert set(principals) == {
        f"arn:aws:iam::{ACCOUNT}:root",
        "logs.eu-central-1.amazonaws.com",
        "budgets.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "events.amazonaws.com",
    }


@pytest.mark.parametrize(("account", "allowed"), [(ACCOUNT, True), ("999999999999", False)])
def test_the_flow_logs_of_no_other_account_use_the_key(made, account, allowed):
    statements = made.data.only("AWS::KMS::Key")["KeyPolicy"]["Statement"]
    group = f"arn:aws:logs:eu-central-1:{account}:log-group:flows"
    context = {"kms:EncryptionContext:aws:logs:arn": group}
    service = "logs.eu-central-1.amazonaws.com"
    allowed_now = allows(statements, "kms:GenerateDataKey", principal=service, **context)
    assert allowed_now is allowed


@pytest.mark.parametrize("bucket", BUCKETS)
@pytest.mark.parametrize(
    ("secure", "tls", "denied"),
    [("false", "1.2", True), ("true", "1.1", True), ("true", "1.2", False), ("true", "1.3", False)],
)
def test_only_tls_1_2_or_later_is_answered(made, bucket, secure, tls, denied):
    anyone = {"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}
    arn = made.data.resolve({"Fn::GetAtt": [bucket, "Arn"]})
    how = {"aws:SecureTransport": secure, "s3:TlsVersion": tls}
    for resource in (arn, f"{arn}/images/apple.jpg"):
        statements = [anyone, *policy_of(made.data, bucket)]
        assert allows(statements, "s3:GetObject", resource, principal="x", **how) is not denied


def test_no_bucket_policy_lets_anyone_in_but_the_service_that_writes_access_logs(either):
    granted = [s for b in BUCKETS for s in policy_of(either.data, b) if s["Effect"] == "Allow"]
    assert [(s["Action"], s["Principal"]) for s in granted] == [
        ("s3:PutObject", {"Service": "logging.s3.amazonaws.com"})
    ] * 3


@pytest.mark.parametrize(
    ("bucket", "prefix"), [(RAW, "raw/"), (RESULTS, "results/"), (LOGS, "logs/")]
)
def test_who_reads_a_bucket_is_logged(made, bucket, prefix):
    data = made.data
    target = {"DestinationBucketName": data.resolve({"Ref": ACCESS_LOGS}), "LogFilePrefix": prefix}
    assert data.resources("AWS::S3::Bucket")[bucket]["LoggingConfiguration"] == target
    place = f"{data.resolve({'Fn::GetAtt': [ACCESS_LOGS, 'Arn']})}/{prefix}2026-01-01"
    source = {"aws:SourceArn": data.resolve({"Fn::GetAtt": [bucket, "Arn"]})}
    service = "logging.s3.amazonaws.com"
    for account, allowed in ((ACCOUNT, True), ("999999999999", False)):
        context = {**source, "aws:SourceAccount": account}
        statements = policy_of(data, ACCESS_LOGS)
        allowed_now = allows(statements, "s3:PutObject", place, principal=service, **context)
        assert allowed_now is allowed


def test_the_bucket_for_access_logs_does_not_log_itself(either):
    assert "LoggingConfiguration" not in either.data.resources("AWS::S3::Bucket")[ACCESS_LOGS]


@pytest.mark.parametrize("bucket", BUCKETS)
def test_what_is_left_over_goes_by_itself(made, made_prod, bucket):
    for made_one, upload_days, version_days in ((made, 1, 7), (made_prod, 7, 30)):
        rules = rules_of(made_one.data, bucket)
        abort = rules["abort-incomplete-uploads"]["AbortIncompleteMultipartUpload"]
        assert abort == {"DaysAfterInitiation": upload_days}
        old = rules["expire-noncurrent-versions"]["NoncurrentVersionExpiration"]
        assert old == {"NoncurrentDays": version_days}
        assert all(rule["Status"] == "Enabled" for rule in rules.values())


def test_logs_expire_and_data_do_not(made, made_prod):
    for made_one, days in ((made, 30), (made_prod, 365)):
        for bucket in (LOGS, ACCESS_LOGS):
            assert rules_of(made_one.data, bucket)["expire"]["ExpirationInDays"] == days
        for bucket in (RAW, RESULTS):
            rules = rules_of(made_one.data, bucket).values()
            expiring = [rule["Prefix"] for rule in rules if "ExpirationInDays" in rule]
            of_results = ["chain/_staging/", "queries/", "notebooks/"]
            assert expiring == ([] if bucket == RAW else of_results)


def test_executed_notebooks_are_gone_for_good_a_day_after_they_expire(made):
    rule = rules_of(made.data, RESULTS)["expire-notebooks"]
    assert rule["ExpirationInDays"] == 30
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}


def test_staged_files_stay_a_week_for_the_run_that_finishes_a_commit(changed):
    # The longest life of a cluster: 168 hours.
    rule = rules_of(changed.data, RESULTS)["expire-staged-files"]
    assert rule["ExpirationInDays"] * 24 >= 168


def test_only_large_photographs_that_are_kept_move_to_a_cheaper_class(made, made_prod):
    assert '"Transitions"' not in json.dumps(made.data.template)
    tiered = {b: rules_of(made_prod.data, b).get("tier-large-objects") for b in BUCKETS}
    assert {bucket for bucket, rule in tiered.items() if rule} == {RAW}
    # Standard-IA bills any object as 128 KiB at least.
    assert int(tiered[RAW]["ObjectSizeGreaterThan"]) >= 128 * 1024
    assert tiered[RAW]["Transitions"] == [
        {"StorageClass": "STANDARD_IA", "TransitionInDays": 90},
    ]


@pytest.mark.parametrize("logical_id", [KEY, *BUCKETS])
def test_prod_keeps_its_data_and_their_key_and_test_keeps_nothing(made, made_prod, logical_id):
    # Except on create: a first deployment that fails leaves no bucket, and no key that is billed.
    expected = {made: ("Delete", "Delete"), made_prod: ("RetainExceptOnCreate", "Retain")}
    for made_one, policies in expected.items():
        resource = made_one.data.of(logical_id)
        assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == policies


def test_the_data_of_prod_cannot_be_destroyed_by_one_command(made, made_prod):
    for made_one, protected in ((made, False), (made_prod, True)):
        stack = made_one.manifest["artifacts"]["FruitsData"]["properties"]
        assert stack.get("terminationProtection", False) is protected


def test_no_stack_runs_code_of_its_own_in_the_account(either):
    for template in (either.data_template, either.compute_template):
        template.resource_count_is("AWS::Lambda::Function", 0)
        kinds = {r["Type"] for r in template.to_json()["Resources"].values()}
        assert not {k for k in kinds if k.startswith(("Custom::", "AWS::CloudFormation::"))}


def test_everything_is_on_the_bill_of_its_environment(made, made_prod):
    for made_one, environment in ((made, "test"), (made_prod, "prod")):
        for stack in STACKS:
            tags = made_one.manifest["artifacts"][stack]["properties"]["tags"]
            assert tags == {"project": "fruits", "environment": environment}
