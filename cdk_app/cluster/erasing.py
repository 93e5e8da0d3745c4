"""What the role of an erasure may do with a cluster: run the step of an erasure, and follow it."""

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk_app.stack_statements import acknowledge_description, describe_stack


class ErasingOnCluster(Construct):
    """A policy on the role of an erasure that goes with the cluster.

    EMR knows no right to add one step and not another.  What a node may do to photographs and
    results is less than what the role may do by itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        role: iam.IRole,
        cluster_id: str,
        step: ssm.IStringParameter,
    ) -> None:
        super().__init__(scope, construct_id)
        cluster = Stack.of(self).format_arn(
            service="elasticmapreduce",
            resource="cluster",
            resource_name=cluster_id,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )
        iam.Policy(
            self,
            "Policy",
            roles=[role],
            statements=[
                describe_stack(self),
                iam.PolicyStatement(
                    sid="ReadStep", actions=["ssm:GetParameter"], resources=[step.parameter_arn]
                ),
                iam.PolicyStatement(
                    sid="RunAndFollowStep",
                    actions=[
                        "elasticmapreduce:AddJobFlowSteps",
                        "elasticmapreduce:DescribeCluster",
                        "elasticmapreduce:ListSteps",
                    ],
                    resources=[cluster],
                ),
            ],
        )
        acknowledge_description(self)
