"""What EMR itself may do in the account: start the nodes of this cluster, and end them.

The statements follow AWS's managed policy AmazonEMRServicePolicy_v2, cut to what a cluster needs
whose groups and endpoints exist already, and confined to this account, this region, and to what
carries EMR's tag.  With ``network_rules=narrow`` EMR cannot change the rules of those groups.
"""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.cluster.definition import EMR_TAG
from cdk_app.config import PipelineConfig

# What EC2 starts Spot nodes with. An account has it once it has asked for its first Spot node.
_SPOT_ROLE = "aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
_TAGGED = {"StringEquals": {f"aws:ResourceTag/{EMR_TAG}": "true"}}
_TAGGING = {"StringEquals": {f"aws:RequestTag/{EMR_TAG}": "true"}}
_LAUNCH = ("ec2:CreateFleet", "ec2:RunInstances", "ec2:CreateLaunchTemplateVersion")
_LAUNCHED = (
    "capacity-reservation",
    "fleet",
    "instance",
    "launch-template",
    "network-interface",
    "security-group",
    "subnet",
    "volume",
)
_DESCRIBE = (
    "AccountAttributes",
    "CapacityReservations",
    "DhcpOptions",
    "Images",
    "Instances",
    "InstanceTypeOfferings",
    "LaunchTemplates",
    "NetworkAcls",
    "NetworkInterfaces",
    "PlacementGroups",
    "RouteTables",
    "SecurityGroups",
    "Subnets",
    "Volumes",
    "VolumeStatus",
    "VpcAttribute",
    "VpcEndpoints",
    "Vpcs",
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
                *self._launch_statements(),
                *self._manage_statements(),
                *_key_statements(key),
                iam.PolicyStatement(
                    sid="PassTheInstanceRole",
                    actions=["iam:PassRole"],
                    resources=[instance_role.role_arn],
                    conditions={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}},
                ),
                *([] if config.is_narrow else [self._security_group_statement()]),
                *([self._spot_role_statement()] if config.n_task_nodes else []),
            ],
        )
        self._acknowledge()

    def _acknowledge(self) -> None:
        stack = Stack.of(self)
        account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
        owners = {**dict.fromkeys(_LAUNCHED, account), "image": ""}
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

    def _launch_statements(self) -> list[iam.PolicyStatement]:
        return [
            self._statement(
                "LaunchInTheTaggedNetwork",
                ["ec2:CreateNetworkInterface", "ec2:CreateLaunchTemplate", *_LAUNCH],
                ["subnet", "security-group"],
                _TAGGED,
            ),
            self._statement(
                "LaunchWithTaggedTemplates", list(_LAUNCH), ["launch-template"], _TAGGED
            ),
            self._statement(
                "MakeTaggedTemplates", ["ec2:CreateLaunchTemplate"], ["launch-template"], _TAGGING
            ),
            self._statement(
                "MakeTaggedInstancesAndVolumes",
                ["ec2:RunInstances", "ec2:CreateFleet"],
                ["instance", "volume"],
                _TAGGING,
            ),
            self._statement(
                "MakeTaggedInterfaces",
                ["ec2:CreateNetworkInterface"],
                ["network-interface"],
                _TAGGING,
            ),
            self._statement(
                "UseWhatALaunchTouches",
                ["ec2:CreateLaunchTemplate", *_LAUNCH],
                ["network-interface", "fleet", "capacity-reservation"],
            ),
            iam.PolicyStatement(
                sid="UseImages",
                actions=["ec2:CreateLaunchTemplate", *_LAUNCH],
                resources=[self._arn("image", account="")],
            ),
            self._statement(
                "TagWhatALaunchMakes",
                ["ec2:CreateTags"],
                ["network-interface", "instance", "volume", "launch-template"],
                {
                    "StringEquals": {
                        "ec2:CreateAction": [
                            "RunInstances",
                            "CreateFleet",
                            "CreateLaunchTemplate",
                            "CreateNetworkInterface",
                        ]
                    }
                },
            ),
        ]

    def _manage_statements(self) -> list[iam.PolicyStatement]:
        return [
            self._statement(
                "EndWhatIsTagged",
                [
                    "ec2:TerminateInstances",
                    "ec2:ModifyInstanceAttribute",
                    "ec2:DeleteLaunchTemplate",
                    "ec2:DeleteNetworkInterface",
                    "ec2:DeleteVolume",
                    "ec2:DetachVolume",
                    "ec2:CreateTags",
                    "ec2:DeleteTags",
                ],
                ["instance", "volume", "network-interface", "launch-template"],
                _TAGGED,
            ),
            # EC2 offers no narrower resource for any of these.
            iam.PolicyStatement(
                sid="Describe",
                actions=[f"ec2:Describe{noun}" for noun in _DESCRIBE],
                resources=["*"],
                conditions={"StringEquals": {"aws:RequestedRegion": Stack.of(self).region}},
            ),
        ]

    def _security_group_statement(self) -> iam.PolicyStatement:
        """Return what EMR needs where it does not take the rules of the stack for its own.

        The stack declares every rule that AWS documents.  Whether EMR looks before it authorizes a
        rule anew is documented nowhere, and a denial ends the cluster.
        """
        return self._statement(
            "ManageRulesOfTaggedGroups",
            [
                "ec2:AuthorizeSecurityGroupEgress",
                "ec2:AuthorizeSecurityGroupIngress",
                "ec2:RevokeSecurityGroupEgress",
                "ec2:RevokeSecurityGroupIngress",
            ],
            ["security-group"],
            _TAGGED,
        )

    def _spot_role_statement(self) -> iam.PolicyStatement:
        """Return the right without which the first Spot node of an account is refused.

        The first managed policy of EMR has this statement, and AmazonEMRServicePolicy_v2 does not.
        """
        return iam.PolicyStatement(
            sid="MakeTheSpotRole",
            actions=["iam:CreateServiceLinkedRole"],
            resources=[
                Stack.of(self).format_arn(
                    service="iam", region="", resource="role", resource_name=_SPOT_ROLE
                )
            ],
            conditions={"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
        )

    def _statement(
        self,
        sid: str,
        actions: list[str],
        resources: list[str],
        conditions: Mapping[str, object] | None = None,
    ) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            actions=actions,
            resources=[self._arn(resource) for resource in resources],
            conditions=conditions,
        )

    def _arn(self, resource: str, account: str | None = None) -> str:
        return Stack.of(self).format_arn(
            service="ec2",
            resource=resource,
            resource_name="*",
            account=account,
            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
        )


def _key_statements(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return what it takes to start nodes whose disks are encrypted with the key."""
    return [
        iam.PolicyStatement(
            sid="EncryptDisks",
            actions=[
                "kms:Decrypt",
                "kms:DescribeKey",
                "kms:Encrypt",
                "kms:GenerateDataKey",
                "kms:GenerateDataKeyWithoutPlaintext",
                "kms:ReEncryptFrom",
                "kms:ReEncryptTo",
            ],
            resources=[key.key_arn],
        ),
        iam.PolicyStatement(
            sid="LetDisksUseTheKey",
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
