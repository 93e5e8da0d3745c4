"""Policy statements in one line each, and those that several roles share."""

from collections.abc import Mapping, Sequence

from aws_cdk import ArnFormat, Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.acknowledgments import acknowledge


def allow(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, object] | None = None,
) -> iam.PolicyStatement:
    """Return a statement that allows actions on resources."""
    return iam.PolicyStatement(
        sid=sid, actions=list(actions), resources=list(resources), conditions=conditions
    )


def pass_role(sid: str, role_arn: str, service: str) -> iam.PolicyStatement:
    """Return the right to pass one role to one service, such as ``ec2``."""
    to_service = {"StringEquals": {"iam:PassedToService": f"{service}.amazonaws.com"}}
    return allow(sid, ["iam:PassRole"], [role_arn], to_service)


def cluster_arn(scope: Construct, cluster_id: str) -> str:
    """Return the ARN of a cluster of EMR in the account of a construct."""
    return Stack.of(scope).format_arn(
        service="elasticmapreduce",
        resource="cluster",
        resource_name=cluster_id,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )


def describe_stack(scope: Construct) -> iam.PolicyStatement:
    """Return the right to describe the stack of a construct; acknowledge its wildcard."""
    stack = Stack.of(scope)
    account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
    acknowledge(
        scope,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::arn:<AWS::Partition>:cloudformation:{stack.region}:{account}:"
        f"stack/{stack.stack_name}/*",
        reason="a stack has an id that is not known before it is made",
    )
    # CloudFormation adds the wildcard itself where a request names the stack.
    arn = stack.format_arn(
        service="cloudformation", resource="stack", resource_name=f"{stack.stack_name}/*"
    )
    return allow("DescribeStack", ["cloudformation:DescribeStacks"], [arn])
