"""What a node of the cluster may do: read the photographs, write the results, and no more."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import Artifacts
from cdk_app.config import PipelineConfig
from cdk_app.storage import (
    EMR_LOGS_PREFIX,
    EVENT_LOG_PREFIX,
    IMAGES_PREFIX,
    OUTPUT_PREFIX,
    Storage,
)


class InstanceRole(Construct):
    """The role of every node, and of every step that runs on one.

    It can delete nothing outside the results and Spark's event log, write no photograph, and call
    nothing but S3 and the key.  ``profile`` bears the name of the role: EMR refuses any other as an
    invalid instance profile (EMR Management Guide, "Customize IAM roles").
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        storage: Storage,
        artifacts: Artifacts,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: nodes of the EMR cluster",
            assumed_by=iam.ServicePrincipal("ec2.amazonaws.com"),
        )
        self.s3_statements = [*_data_statements(config, storage), artifacts.read_statement()]
        statements = [
            *self.s3_statements,
            iam.PolicyStatement(
                sid="UseTheKey",
                actions=["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=[storage.key.key_arn],
            ),
        ]
        if config.session_manager:
            statements.append(_session_manager_statement())
        self.policy = iam.Policy(self, "Policy", roles=[self.role], statements=statements)
        _acknowledge(self, config, storage)
        self.profile = iam.CfnInstanceProfile(
            self,
            "Profile",
            instance_profile_name=self.role.role_name,
            roles=[self.role.role_name],
        )


def _acknowledge(role: InstanceRole, config: PipelineConfig, storage: Storage) -> None:
    acknowledge(
        role,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::{_export_name(storage.raw)}/{IMAGES_PREFIX}/*",
        f"Resource::{_export_name(storage.results)}/{OUTPUT_PREFIX}/*",
        f"Resource::{_export_name(storage.logs)}/{EMR_LOGS_PREFIX}/*",
        f"Resource::{_export_name(storage.logs)}/{EVENT_LOG_PREFIX}/*",
        reason="the objects under one prefix of a bucket of the project, whose names are data",
    )
    if not config.is_narrow:
        acknowledge(
            role,
            "AwsSolutions::AwsSolutions-IAM5",
            "Action::s3:Put*",
            reason="what AWS documents for EMR's logs, on the objects of their prefix alone",
        )
    if config.session_manager:
        acknowledge(
            role,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="the agent of Session Manager has no narrower resource",
        )


def _export_name(bucket: s3.IBucket) -> str:
    """Return the name under which the data stack exports the ARN of a bucket: cdk-nag shows it."""
    stack = Stack.of(bucket)
    return str(stack.resolve(stack.export_value(bucket.bucket_arn))["Fn::ImportValue"])


def _data_statements(config: PipelineConfig, storage: Storage) -> list[iam.PolicyStatement]:
    return [
        _list("ListPhotographs", storage.raw, IMAGES_PREFIX),
        iam.PolicyStatement(
            sid="ReadPhotographs",
            actions=["s3:GetObject"],
            resources=[storage.raw.arn_for_objects(f"{IMAGES_PREFIX}/*")],
        ),
        _list("ListResults", storage.results, OUTPUT_PREFIX),
        iam.PolicyStatement(
            sid="WriteResults",
            # Arrow uploads in parts, for which PutObject is the right, and aborts what fails.
            actions=[
                "s3:GetObject",
                "s3:PutObject",
                "s3:DeleteObject",
                "s3:AbortMultipartUpload",
            ],
            resources=[storage.results.arn_for_objects(f"{OUTPUT_PREFIX}/*")],
        ),
        iam.PolicyStatement(
            sid="WriteLogs",
            # s3:Put*: EMR Management Guide, "Minimum Amazon S3 policy for private subnet". A log
            # that EMR may not write is missed silently, and only after a failure.
            actions=["s3:PutObject" if config.is_narrow else "s3:Put*"],
            resources=[storage.logs.arn_for_objects(f"{EMR_LOGS_PREFIX}/*")],
        ),
        _list("ListEventLog", storage.logs, EVENT_LOG_PREFIX),
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


def _list(sid: str, bucket: s3.IBucket, prefix: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        actions=["s3:ListBucket"],
        resources=[bucket.bucket_arn],
        conditions={"StringLike": {"s3:prefix": [prefix, f"{prefix}/*"]}},
    )


def _session_manager_statement() -> iam.PolicyStatement:
    # Session Manager's agent has no narrower resource.
    return iam.PolicyStatement(
        sid="SessionManager",
        actions=[
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ],
        resources=["*"],
    )
