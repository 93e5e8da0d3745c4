"""The right to read what a stack is made of, for a role that finds its way by it."""

from aws_cdk import Stack, Token
from aws_cdk import aws_iam as iam
from constructs import Construct

from cdk_app.acknowledgments import acknowledge


def describe_stack(construct: Construct) -> iam.PolicyStatement:
    """Return the statement that allows to describe the stack of a construct."""
    stack = Stack.of(construct)
    # CloudFormation puts the star there itself where it is asked by name.
    arn = stack.format_arn(
        service="cloudformation", resource="stack", resource_name=f"{stack.stack_name}/*"
    )
    return iam.PolicyStatement(
        sid="DescribeStack", actions=["cloudformation:DescribeStacks"], resources=[arn]
    )


def acknowledge_description(construct: Construct) -> None:
    """Accept the star at the end of the name of a stack."""
    stack = Stack.of(construct)
    account = "<AWS::AccountId>" if Token.is_unresolved(stack.account) else stack.account
    acknowledge(
        construct,
        "AwsSolutions::AwsSolutions-IAM5",
        f"Resource::arn:<AWS::Partition>:cloudformation:{stack.region}:{account}:"
        f"stack/{stack.stack_name}/*",
        reason="a stack has an id that is not known before it is made",
    )
