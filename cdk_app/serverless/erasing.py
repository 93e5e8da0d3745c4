"""What the role of an erasure may do on EMR Serverless: run its job, and follow it."""

from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.serverless.application import Application
from cdk_app.serverless.starting import acknowledge_job_runs, starting_statements
from cdk_app.stack_statements import acknowledge_description, describe_stack


class ErasingOnServerless(Construct):
    """A policy on the role of an erasure that goes with the application.

    EMR Serverless knows no right to run one script and not another.  What a job may do to
    photographs and results is less than what the role may do by itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        role: iam.IRole,
        application: Application,
        job_role: iam.IRole,
        request: ssm.IStringParameter,
    ) -> None:
        super().__init__(scope, construct_id)
        iam.Policy(
            self,
            "Policy",
            roles=[role],
            statements=[
                describe_stack(self),
                iam.PolicyStatement(
                    sid="ReadRequest",
                    actions=["ssm:GetParameter"],
                    resources=[request.parameter_arn],
                ),
                *starting_statements(config, application, job_role),
            ],
        )
        acknowledge_description(self)
        acknowledge_job_runs(self, application)
