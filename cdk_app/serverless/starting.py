"""The right to start job runs on one application as one role, and to follow them."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.serverless.application import Application


def starting_statements(
    config: PipelineConfig, application: Application, job_role: iam.IRole
) -> list[iam.PolicyStatement]:
    """Return the rights to start, tag and follow job runs, and to pass on their role."""
    return [
        iam.PolicyStatement(
            sid="StartJobRuns",
            actions=["emr-serverless:StartJobRun"],
            resources=[application.arn],
        ),
        iam.PolicyStatement(
            sid="TagJobRuns",
            actions=["emr-serverless:TagResource"],
            resources=[application.arn, application.job_run_arns],
            conditions={
                "StringEquals": {f"aws:RequestTag/{key}": tag for key, tag in config.tags.items()}
            },
        ),
        iam.PolicyStatement(
            sid="FollowJobRuns",
            actions=["emr-serverless:GetJobRun"],
            resources=[application.job_run_arns],
        ),
        iam.PolicyStatement(
            sid="PassJobRole",
            actions=["iam:PassRole"],
            resources=[job_role.role_arn],
            conditions={"StringEquals": {"iam:PassedToService": "emr-serverless.amazonaws.com"}},
        ),
    ]


def acknowledge_job_runs(construct: Construct, application: Application) -> None:
    """Accept the star of `starting_statements` on a role that has them."""
    logical_id = Stack.of(construct).get_logical_id(application.application)
    acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::<{logical_id}.Arn>/jobruns/*",
        reason="the job runs of one application, which have no ids before they start",
    )
