"""Findings of the checks that stay, each with its reason, beside the resource."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, rule: str, *findings: str, reason: str) -> None:
    """Accept the named findings of one rule on a construct and those below it.

    ``rule`` is preceded by the tool that checks it, such as ``AwsSolutions::AwsSolutions-EMR6``.
    ``findings`` are what cdk-nag puts in brackets, such as ``Resource::*``; without any, the rule
    has a single finding.
    """
    ids = [f"{rule}[{finding}]" for finding in findings] or [rule]
    for rule_id in ids:
        Validations.of(construct).acknowledge(Acknowledgment(id=rule_id, reason=reason))
