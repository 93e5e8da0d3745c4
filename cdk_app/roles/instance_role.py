"""The rights of a node of the cluster: read photographs, write results."""

from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import Artifacts
from cdk_app.config import PipelineConfig
from cdk_app.roles.job_statements import (
    acknowledge_prefixes,
    event_log_statements,
    key_statement,
    notebook_statement,
    s3_statements,
)
from cdk_app.roles.statements import allow
from cdk_app.storage import Storage

_SESSION_MANAGER = (
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
)


class InstanceRole(Construct):
    """The role of every node, and of every step that runs on one.

    It can delete nothing but results and event logs, write no photograph, and call nothing but S3
    and the key.  ``profile`` bears the name of the role: EMR refuses any other as an invalid
    instance profile (EMR Management Guide, "Customize IAM roles").
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
        # s3:Put*: EMR Management Guide, "Minimum Amazon S3 policy for private subnet". A log that
        # EMR may not write is missed silently, and only after a failure.
        log_action = "s3:PutObject" if config.is_narrow else "s3:Put*"
        self.s3_statements = [
            *s3_statements(storage, artifacts, log_action=log_action),
            *event_log_statements(storage),
            notebook_statement(storage),
        ]
        statements = [*self.s3_statements, key_statement(storage)]
        if config.session_manager:
            statements.append(allow("SessionManager", _SESSION_MANAGER, ["*"]))
            acknowledge(
                self,
                "AwsSolutions::AwsSolutions-IAM5",
                "Resource::*",
                reason="the agent of Session Manager has no narrower resource",
            )
        self.policy = iam.Policy(self, "Policy", roles=[self.role], statements=statements)
        acknowledge_prefixes(self, storage)
        if not config.is_narrow:
            acknowledge(
                self,
                "AwsSolutions::AwsSolutions-IAM5",
                "Action::s3:Put*",
                reason="what AWS documents for EMR's logs, on the objects of their prefix alone",
            )
        self.profile = iam.CfnInstanceProfile(
            self,
            "Profile",
            instance_profile_name=self.role.role_name,
            roles=[self.role.role_name],
        )
