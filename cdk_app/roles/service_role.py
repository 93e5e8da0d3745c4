"""The rights of EMR in the account: start the nodes of this cluster, and terminate them.

The statements follow AWS's managed policy AmazonEMRServicePolicy_v2, cut to the needs of a cluster
whose groups and endpoints exist already, and confined to this account, this region, and the
resources with EMR's tag.  With ``network_rules=narrow`` EMR cannot change rules of those groups.
"""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.cluster.definition import EMR_TAG
from cdk_app.config import PipelineConfig
from cdk_app.roles.statements import allow, pass_role

# EC2's role for Spot nodes. EC2 creates it with the first Spot node of an account.
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
_MANAGE = (
    "ec2:TerminateInstances",
    "ec2:ModifyInstanceAttribute",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteNetworkInterface",
    "ec2:DeleteVolume",
    "ec2:DetachVolume",
    "ec2:CreateTags",
    "ec2:DeleteTags",
)
_CHANGE_RULES = (
    "ec2:AuthorizeSecurityGroupEgress",
    "ec2:AuthorizeSecurityGroupIngress",
    "ec2:RevokeSecurityGroupEgress",
    "ec2:RevokeSecurityGroupIngress",
)
_ENCRYPT = (
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:Encrypt",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)


class ServiceRole(Construct):
    """The role that EMR assumes.  It can pass ``instance_role`` to EC2, and no other role."""

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
                *_launch_statements(stack),
                *_manage_statements(stack),
                *_key_statements(key),
                pass_role("PassInstanceRole", instance_role.role_arn, "ec2"),
                *([] if config.is_narrow else [_security_group_statement(stack)]),
                *([_spot_role_statement(stack)] if config.n_task_nodes else []),
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
            reason="launched resources have no names in advance; EMR's tag confines the statements",
        )
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-IAM5",
            "Resource::*",
            reason="EC2 describes all or nothing; the statement holds no action that changes",
        )


def _launch_statements(stack: Stack) -> list[iam.PolicyStatement]:
    """Return the rights to start nodes in the network of a stack."""
    template, templates = "ec2:CreateLaunchTemplate", ["launch-template"]
    launchers = ["RunInstances", "CreateFleet", "CreateLaunchTemplate", "CreateNetworkInterface"]
    launching = {"StringEquals": {"ec2:CreateAction": launchers}}
    return [
        _on(
            stack,
            "LaunchInTaggedNetwork",
            ["ec2:CreateNetworkInterface", template, *_LAUNCH],
            ["subnet", "security-group"],
            _TAGGED,
        ),
        _on(stack, "LaunchWithTaggedTemplates", _LAUNCH, templates, _TAGGED),
        _on(stack, "CreateTaggedTemplates", [template], templates, _TAGGING),
        _on(
            stack,
            "CreateTaggedInstancesAndVolumes",
            ["ec2:RunInstances", "ec2:CreateFleet"],
            ["instance", "volume"],
            _TAGGING,
        ),
        _on(
            stack,
            "CreateTaggedInterfaces",
            ["ec2:CreateNetworkInterface"],
            ["network-interface"],
            _TAGGING,
        ),
        _on(
            stack,
            "UseLaunchResources",
            [template, *_LAUNCH],
            ["network-interface", "fleet", "capacity-reservation"],
        ),
        allow("UseImages", [template, *_LAUNCH], [_arn(stack, "image", account="")]),
        _on(
            stack,
            "TagLaunchedResources",
            ["ec2:CreateTags"],
            ["network-interface", "instance", "volume", "launch-template"],
            launching,
        ),
    ]


def _manage_statements(stack: Stack) -> list[iam.PolicyStatement]:
    """Return the rights to terminate nodes, and to describe the resources of EC2."""
    managed = ["instance", "volume", "network-interface", "launch-template"]
    describe = [f"ec2:Describe{noun}" for noun in _DESCRIBE]
    here = {"StringEquals": {"aws:RequestedRegion": stack.region}}
    return [
        _on(stack, "ManageTaggedResources", _MANAGE, managed, _TAGGED),
        # EC2 offers no narrower resource for any of these.
        allow("Describe", describe, ["*"], here),
    ]


def _security_group_statement(stack: Stack) -> iam.PolicyStatement:
    """Return the right that EMR needs if it authorizes the rules of its groups anew.

    The stack declares every rule that AWS documents.  No page says whether EMR looks for a rule
    before it authorizes it, and a denial ends the cluster.
    """
    return _on(stack, "ManageRulesOfTaggedGroups", _CHANGE_RULES, ["security-group"], _TAGGED)


def _spot_role_statement(stack: Stack) -> iam.PolicyStatement:
    """Return the right without which the first Spot node of an account is refused.

    The first managed policy of EMR has this statement, and AmazonEMRServicePolicy_v2 does not.
    """
    role = stack.format_arn(service="iam", region="", resource="role", resource_name=_SPOT_ROLE)
    for_spot = {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}}
    return allow("CreateSpotRole", ["iam:CreateServiceLinkedRole"], [role], for_spot)


def _key_statements(key: kms.IKey) -> list[iam.PolicyStatement]:
    """Return the rights to start nodes whose disks are encrypted with the key."""
    for_aws = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
    return [
        allow("EncryptDisks", _ENCRYPT, [key.key_arn]),
        allow("GrantKeyToDisks", ["kms:CreateGrant"], [key.key_arn], for_aws),
    ]


def _on(
    stack: Stack,
    sid: str,
    actions: Sequence[str],
    nouns: Sequence[str],
    conditions: Mapping[str, object] | None = None,
) -> iam.PolicyStatement:
    """Return a statement on all resources of EC2 of some kinds."""
    return allow(sid, actions, [_arn(stack, noun) for noun in nouns], conditions)


def _arn(stack: Stack, noun: str, account: str | None = None) -> str:
    return stack.format_arn(
        service="ec2",
        resource=noun,
        resource_name="*",
        account=account,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
