"""Revokes rules of security groups that EMR has added, before their stack is deleted.

CloudFormation does not know them, and no group can be deleted while a rule of another one names it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from operations.aws.aws_errors import AWS_ERRORS, describe_aws_error, is_missing_stack
from operations.aws.clients import aws_client
from spark_assets.runtime.progress import echo
from spark_assets.text.numbers import counted

_GROUP = "AWS::EC2::SecurityGroup"
# The property that names the other group, by the type of a rule.
_PEERS = {
    f"{_GROUP}Ingress": "SourceSecurityGroupId",
    f"{_GROUP}Egress": "DestinationSecurityGroupId",
}


class Rule(NamedTuple):
    """The identity of a rule: EC2 refuses a second one with the same values."""

    is_egress: bool
    group_id: str
    peer_id: str
    protocol: str
    from_port: int
    to_port: int


def revoke_foreign_rules(stack: str) -> None:
    """Revoke the rules between groups that are not in the template of a stack.

    Rules about addresses stay: they go with their group.  Where AWS refuses, a line says so, and
    the deletion goes on: it fails only if there are such rules.
    """
    try:
        n_revoked = _revoke_in(stack)
    except AWS_ERRORS as error:
        if not is_missing_stack(error):
            echo(f"rules that EMR may have added were not revoked: {describe_aws_error(error)}")
        return
    if n_revoked:
        rules = counted(n_revoked, "rule")
        echo(f"revoked {rules} that EMR added to the security groups of the stack")


def _revoke_in(stack: str) -> int:
    cloudformation = aws_client("cloudformation")
    template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    groups = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        # One that could not be made, or is deleted, has no group behind it.
        if each["ResourceType"] == _GROUP
        and each.get("PhysicalResourceId")
        and each["ResourceStatus"] != "DELETE_COMPLETE"
    }
    return _revoke(own_rules(template["Resources"], groups), list(groups.values()))


def own_rules(resources: Mapping[str, Any], groups: Mapping[str, str]) -> set[Rule]:
    """Return the rules between groups that a template holds; ``groups`` has ids by logical ids."""
    rules = set()
    for resource in resources.values():
        properties = resource.get("Properties", {})
        peer = properties.get(_PEERS.get(resource["Type"], ""))
        if peer is not None:
            group_id, peer_id = (
                groups.get(each["Fn::GetAtt"][0], "") for each in (properties["GroupId"], peer)
            )
            ports = properties["FromPort"], properties["ToPort"]
            is_egress = resource["Type"].endswith("Egress")
            rules.add(Rule(is_egress, group_id, peer_id, properties["IpProtocol"], *ports))
    return rules


def _revoke(own: set[Rule], group_ids: Sequence[str]) -> int:
    if not group_ids:
        return 0
    ec2 = aws_client("ec2")
    foreign: dict[tuple[str, bool], list[str]] = defaultdict(list)
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": list(group_ids)}]
    )
    for page in pages:
        for found in page["SecurityGroupRules"]:
            peer_id = found.get("ReferencedGroupInfo", {}).get("GroupId")
            ends = found["IsEgress"], found["GroupId"], peer_id
            rule = Rule(*ends, found["IpProtocol"], found["FromPort"], found["ToPort"])
            if peer_id and rule not in own:
                foreign[found["GroupId"], found["IsEgress"]].append(found["SecurityGroupRuleId"])
    for (group_id, is_egress), rule_ids in foreign.items():
        revoke = (
            ec2.revoke_security_group_egress if is_egress else ec2.revoke_security_group_ingress
        )
        revoke(GroupId=group_id, SecurityGroupRuleIds=rule_ids)
    return sum(map(len, foreign.values()))
