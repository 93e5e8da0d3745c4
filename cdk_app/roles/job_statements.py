"""The rights of a job on a cluster and on EMR Serverless: the statements that both roles share."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import JobArtifacts
from cdk_app.config import PipelineConfig
from cdk_app.roles.statements import allow, pass_role
from cdk_app.serverless.emr_application import Application
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
    the right by which EMR writes the logs of a job.
    """
    photographs = [storage.raw.arn_for_objects(f"{IMAGES_PREFIX}/*")]
    results = [storage.results.arn_for_objects(f"{OUTPUT_PREFIX}/*")]
    logs = [storage.logs.arn_for_objects(f"{EMR_LOGS_PREFIX}/*")]
    # Arrow uploads in parts, for which PutObject is the right, and never aborts.
    write = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
    return [
        _list("ListPhotographs", storage.raw, f"{IMAGES_PREFIX}/*"),
        allow("ReadPhotographs", ["s3:GetObject"], photographs),
        _list("ListResults", storage.results, f"{OUTPUT_PREFIX}/*"),
        allow("WriteResults", write, results),
        allow("WriteLogs", [log_action], logs),
        allow("ReadAssets", ["s3:GetObject"], artifacts.object_arns),
    ]


def key_statement(storage: Storage) -> iam.PolicyStatement:
    """Return the right to use the key of photographs, results and logs."""
    actions = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"]
    return allow("UseKey", actions, [storage.key.key_arn])


def event_log_statements(storage: Storage) -> list[iam.PolicyStatement]:
    """Return the rights to write Spark's event log, where no service does it."""
    objects = [
        storage.logs.arn_for_objects(EVENT_LOG_PREFIX),
        storage.logs.arn_for_objects(f"{EVENT_LOG_PREFIX}/*"),
    ]
    # Spark renames a file at the end of an application, which is to copy and to delete.
    write = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"]
    return [
        _list("ListEventLog", storage.logs, EVENT_LOG_PREFIX, f"{EVENT_LOG_PREFIX}/*"),
        allow("WriteEventLog", write, objects),
    ]


def notebook_statement(storage: Storage) -> iam.PolicyStatement:
    """Return the right to read notebooks and to write executed ones."""
    notebooks = [storage.results.arn_for_objects(f"{NOTEBOOKS_PREFIX}/*")]
    return allow("ExecuteNotebooks", ["s3:GetObject", "s3:PutObject"], notebooks)


def start_job_runs(
    scope: Construct, config: PipelineConfig, application: Application, job_role: iam.IRole
) -> list[iam.PolicyStatement]:
    """Return the rights to start and follow job runs of one application as one role.

    The wildcard in the names of job runs is acknowledged on ``scope``.
    """
    logical_id = Stack.of(scope).get_logical_id(application.application)
    acknowledge(
        scope,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::<{logical_id}.Arn>/jobruns/*",
        reason="the job runs of one application, which have no ids before they start",
    )
    tags = {"StringEquals": {f"aws:RequestTag/{key}": tag for key, tag in config.tags.items()}}
    arn, job_runs = application.arn, application.job_run_arns
    return [
        allow("StartJobRuns", ["emr-serverless:StartJobRun"], [arn]),
        allow("TagJobRuns", ["emr-serverless:TagResource"], [arn, job_runs], tags),
        allow("FollowJobRuns", ["emr-serverless:GetJobRun"], [job_runs]),
        pass_role("PassJobRole", job_role.role_arn, "emr-serverless"),
    ]


def acknowledge_prefixes(role: Construct, storage: Storage) -> None:
    """Accept the wildcards below the prefixes on a role that has some of the statements above."""
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
    """Return the name under which the data stack exports the ARN of a bucket, as in cdk-nag."""
    stack = Stack.of(bucket)
    return str(stack.resolve(stack.export_value(bucket.bucket_arn))["Fn::ImportValue"])


def _list(sid: str, bucket: s3.IBucket, *prefixes: str) -> iam.PolicyStatement:
    below = {"StringLike": {"s3:prefix": list(prefixes)}}
    return allow(sid, ["s3:ListBucket"], [bucket.bucket_arn], below)
