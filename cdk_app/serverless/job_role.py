"""What a job on EMR Serverless may do: what a node of the cluster may, and no more."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.artifacts import ServerlessArtifacts
from cdk_app.job_statements import acknowledge_prefixes, key_statement, s3_statements
from cdk_app.serverless.application import Application
from cdk_app.storage import Storage


class JobRole(Construct):
    """The role of every job run, which only runs of this application take on."""

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
