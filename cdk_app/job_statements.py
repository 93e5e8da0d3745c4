"""What a job may do, wherever it runs: the statements that its roles have in common."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import JobArtifacts
from cdk_app.storage import (
    EMR_LOGS_PREFIX,
    EVENT_LOG_PREFIX,
    IMAGES_PREFIX,
    NOTEBOOKS_PREFIX,
    OUTPUT_PREFIX,
    Storage,
)


def s3_statements(
    storage: Storage, artifacts: JobArtifacts, *, log_action: str = "s3:PutObject"
) -> list[iam.PolicyStatement]:
    """Return the rights to read photographs and assets, and to write results and logs.

    None of them deletes anything outside the results, or writes a photograph.  ``log_action`` is
    how what runs the job writes its logs.
    """
    return [
        _list("ListPhotographs", storage.raw, f"{IMAGES_PREFIX}/*"),
        iam.PolicyStatement(
            sid="ReadPhotographs",
            actions=["s3:GetObject"],
            resources=[storage.raw.arn_for_objects(f"{IMAGES_PREFIX}/*")],
        ),
        _list("ListResults", storage.results, f"{OUTPUT_PREFIX}/*"),
        iam.PolicyStatement(
            sid="WriteResults",
            # Arrow uploads in parts, for which PutObject is the right, and never aborts.
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            resources=[storage.results.arn_for_objects(f"{OUTPUT_PREFIX}/*")],
        ),
        iam.PolicyStatement(
            sid="WriteLogs",
            actions=[log_action],
            resources=[storage.logs.arn_for_objects(f"{EMR_LOGS_PREFIX}/*")],
        ),
        artifacts.read_statement(),
    ]


def key_statement(storage: Storage) -> iam.PolicyStatement:
    """Return the right to use the key of photographs, results and logs."""
    return iam.PolicyStatement(
        sid="UseKey",
        actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
        resources=[storage.key.key_arn],
    )


def event_log_statements(storage: Storage) -> list[iam.PolicyStatement]:
    """Return the rights to write Spark's event log, where no service does it."""
    return [
        _list("ListEventLog", storage.logs, EVENT_LOG_PREFIX, f"{EVENT_LOG_PREFIX}/*"),
        # Spark renames a file at the end of an application, which is to copy and to delete.
        iam.PolicyStatement(
            sid="WriteEventLog",
            actions=["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
            resources=[
                storage.logs.arn_for_objects(EVENT_LOG_PREFIX),
                storage.logs.arn_for_objects(f"{EVENT_LOG_PREFIX}/*"),
            ],
        ),
    ]


def notebook_statement(storage: Storage) -> iam.PolicyStatement:
    """Return the right to read notebooks and to write what they become."""
    return iam.PolicyStatement(
        sid="ExecuteNotebooks",
        actions=["s3:GetObject", "s3:PutObject"],
        resources=[storage.results.arn_for_objects(f"{NOTEBOOKS_PREFIX}/*")],
    )


def acknowledge_prefixes(role: Construct, storage: Storage) -> None:
    """Accept the stars of the statements above on a role that has some of them."""
    acknowledge(
        role,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::{_export_name(storage.raw)}/{IMAGES_PREFIX}/*",
        f"Resource::{_export_name(storage.results)}/{OUTPUT_PREFIX}/*",
        f"Resource::{_export_name(storage.results)}/{NOTEBOOKS_PREFIX}/*",
        f"Resource::{_export_name(storage.logs)}/{EMR_LOGS_PREFIX}/*",
        f"Resource::{_export_name(storage.logs)}/{EVENT_LOG_PREFIX}/*",
        reason="the objects under one prefix of a bucket of the project, whose names are data",
    )


def _export_name(bucket: s3.IBucket) -> str:
    """Return the name under which the data stack exports the ARN of a bucket: cdk-nag shows it."""
    stack = Stack.of(bucket)
    return str(stack.resolve(stack.export_value(bucket.bucket_arn))["Fn::ImportValue"])


def _list(sid: str, bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": list(prefixes)}},
    )
