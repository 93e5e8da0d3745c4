"""The rights of a job on EMR Serverless: those of a node of the cluster, and no more."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.artifacts import ServerlessArtifacts
from cdk_app.roles.job_statements import acknowledge_prefixes, key_statement, s3_statements
from cdk_app.serverless.emr_application import Application
from cdk_app.storage import Storage


class JobRole(Construct):
    """The role of every job run, which only runs of this application assume."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        application: Application,
        storage: Storage,
        artifacts: ServerlessArtifacts,
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: job runs of EMR Serverless",
            assumed_by=iam.ServicePrincipal(
                "emr-serverless.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": Stack.of(self).account},
                    "ArnLike": {"aws:SourceArn": [application.arn, f"{application.arn}/*"]},
                },
            ),
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            statements=[*s3_statements(storage, artifacts), key_statement(storage)],
        )
        acknowledge_prefixes(self, storage)
