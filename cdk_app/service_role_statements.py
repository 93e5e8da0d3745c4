"""The statements of EMR's service role, confined to this account, this region and EMR's tag."""

from collections.abc import Mapping

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

from cdk_app.cluster.definition import EMR_TAG

# What EC2 starts Spot nodes with. An account has it once it has asked for its first Spot node.
_SPOT_ROLE = "aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot"
_TAGGED = {"StringEquals": {f"aws:ResourceTag/{EMR_TAG}": "true"}}
_TAGGING = {"StringEquals": {f"aws:RequestTag/{EMR_TAG}": "true"}}
_LAUNCH = ("ec2:CreateFleet", "ec2:RunInstances", "ec2:CreateLaunchTemplateVersion")
LAUNCHED = (
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


def launch_statements(stack: Stack) -> list[iam.PolicyStatement]:
    """Return what it takes to start nodes in the network of a stack."""
    return [
        _statement(
            stack,
            "LaunchInTaggedNetwork",
            ["ec2:CreateNetworkInterface", "ec2:CreateLaunchTemplate", *_LAUNCH],
            ["subnet", "security-group"],
            _TAGGED,
        ),
        _statement(stack, "LaunchWithTaggedTemplates", list(_LAUNCH), ["launch-template"], _TAGGED),
        _statement(
            stack,
            "CreateTaggedTemplates",
            ["ec2:CreateLaunchTemplate"],
            ["launch-template"],
            _TAGGING,
        ),
        _statement(
            stack,
            "CreateTaggedInstancesAndVolumes",
            ["ec2:RunInstances", "ec2:CreateFleet"],
            ["instance", "volume"],
            _TAGGING,
        ),
        _statement(
            stack,
            "CreateTaggedInterfaces",
            ["ec2:CreateNetworkInterface"],
            ["network-interface"],
            _TAGGING,
        ),
        _statement(
            stack,
            "UseLaunchResources",
            ["ec2:CreateLaunchTemplate", *_LAUNCH],
            ["network-interface", "fleet", "capacity-reservation"],
        ),
        iam.PolicyStatement(
            sid="UseImages",
            actions=["ec2:CreateLaunchTemplate", *_LAUNCH],
            resources=[_arn(stack, "image", account="")],
        ),
        _statement(
            stack,
            "TagLaunchedResources",
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


def manage_statements(stack: Stack) -> list[iam.PolicyStatement]:
    """Return what it takes to end nodes, and to describe what is there."""
    return [
        _statement(
            stack,
            "ManageTaggedResources",
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
            conditions={"StringEquals": {"aws:RequestedRegion": stack.region}},
        ),
    ]


def security_group_statement(stack: Stack) -> iam.PolicyStatement:
    """Return what EMR needs where it does not take the rules of the stack for its own.

    The stack declares every rule that AWS documents.  Whether EMR looks before it authorizes a
    rule anew is documented nowhere, and a denial ends the cluster.
    """
    return _statement(
        stack,
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


def spot_role_statement(stack: Stack) -> iam.PolicyStatement:
    """Return the right without which the first Spot node of an account is refused.

    The first managed policy of EMR has this statement, and AmazonEMRServicePolicy_v2 does not.
    """
    return iam.PolicyStatement(
        sid="CreateSpotRole",
        actions=["iam:CreateServiceLinkedRole"],
        resources=[
            stack.format_arn(service="iam", region="", resource="role", resource_name=_SPOT_ROLE)
        ],
        conditions={"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
    )


def _statement(
    stack: Stack,
    sid: str,
    actions: list[str],
    resources: list[str],
    conditions: Mapping[str, object] | None = None,
) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid,
        actions=actions,
        resources=[_arn(stack, resource) for resource in resources],
        conditions=conditions,
    )


def _arn(stack: Stack, resource: str, account: str | None = None) -> str:
    return stack.format_arn(
        service="ec2",
        resource=resource,
        resource_name="*",
        account=account,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def key_statements(key: kms.IKey) -> list[iam.PolicyStatement]:
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
            sid="GrantKeyToDisks",
            actions=["kms:CreateGrant"],
            resources=[key.key_arn],
            conditions={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
