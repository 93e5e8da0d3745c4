"""What EMR itself may do in the account: start the nodes of this cluster, and end them.

The statements follow AWS's managed policy AmazonEMRServicePolicy_v2, cut to what a cluster needs
whose groups and endpoints exist already, and confined to this account, this region, and to what
carries EMR's tag.  With ``network_rules=narrow`` EMR cannot change the rules of those groups.
"""

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.config import PipelineConfig
from cdk_app.service_role_statements import (
    LAUNCHED,
    key_statements,
    launch_statements,
    manage_statements,
    security_group_statement,
    spot_role_statement,
)


class ServiceRole(Construct):
    """The role that EMR takes on.  It can pass ``instance_role`` to EC2, and no other role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        instance_role: iam.Role,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        self.role = iam.Role(
            self,
            "Role",
            description="Fruits!: EMR starts and ends the nodes of the cluster",
            assumed_by=iam.ServicePrincipal(
                "elasticmapreduce.amazonaws.com",
                conditions={
                    "StringEquals": {"aws:SourceAccount": stack.account},
                    "ArnLike": {
                        "aws:SourceArn": stack.format_arn(service="elasticmapreduce", resource="*")
                    },
                },
            ),
        )
        self.policy = iam.Policy(
            self,
            "Policy",
            roles=[self.role],
            statements=[
                *launch_statements(stack),
                *manage_statements(stack),
                *key_statements(key),
                iam.PolicyStatement(
                    sid="PassInstanceRole",
                    actions=["iam:PassRole"],
                    resources=[instance_role.role_arn],
                    conditions={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                ),
                *([] if config.is_narrow else [security_group_statement(stack)]),
                *([spot_role_statement(stack)] if config.n_task_nodes else []),
            ],
        )
        self._acknowledge()

    def _acknowledge(self) -> None:
        stack = Stack.of(self)
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        owners = {**dict.fromkeys(LAUNCHED, account), "image": ""}
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            *(
                f"Resource::arn:<AWS::Partition>:ec2:{stack.region}:{owner}:{noun}/*"
                for noun, owner in owners.items()
            ),
            reason="what a launch makes has no name before it; EMR's tag confines the statements",
        )
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="EC2 describes all or nothing; the statement holds no action that changes",
        )
