"""Revokes rules that are not the stack's: ``python -m operations.cdk.foreign_rules -c key=value``.

EMR may add rules to the security groups of its cluster. CloudFormation does not know them, and no
group can be deleted while a rule of another one names it: asked before the stack is deleted.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cdk_app.config import REGION, ConfigError, stack_name
from operations.cdk.context import parse_known, read_config
from operations.cdk.failures import sentence_for

_GROUP = "AWS::EC2::SecurityGroup"
# The property that names the other group, by the type of a rule.
_PEERS = {
    f"{_GROUP}Ingress": "SourceSecurityGroupId",
    f"{_GROUP}Egress": "DestinationSecurityGroupId",
}


class Rule(NamedTuple):
    """What tells a rule from others: EC2 refuses a second one with all of it."""

    is_egress: bool
    group_id: str
    peer_id: str
    protocol: str
    from_port: int
    to_port: int


def main(arguments: Sequence[str] | None = None) -> int:
    """Revoke them and say how many; the deletion goes on where they could not be looked at."""
    parser = argparse.ArgumentParser(prog="operations.cdk.foreign_rules", allow_abbrev=False)
    parsed = parse_known(parser, arguments)
    try:
        n_revoked = revoke_foreign_rules(
            stack_name(read_config(parsed.context).environment, "compute")
        )
    except ConfigError as error:
        print(f"fruits: {error}", file=sys.stderr)
        return 1
    except (BotoCoreError, ClientError) as error:
        print(
            f"rules that EMR may have added were not revoked: {sentence_for(str(error))}",
            file=sys.stderr,
        )
        return 0
    if n_revoked:
        rules = "1 rule" if n_revoked == 1 else f"{n_revoked} rules"
        print(f"revoked {rules} that EMR added to the security groups of the stack")
    return 0


def revoke_foreign_rules(stack: str) -> int:
    """Revoke the rules between groups that the template of a stack does not hold; return how many.

    Rules about addresses stay: they go with their group.
    """
    cloudformation = boto3.client("cloudformation", region_name=REGION)
    try:
        template = cloudformation.get_template(StackName=stack)["TemplateBody"]
    except ClientError as error:
        if f"{stack} does not exist" in str(error):
            return 0
        raise
    pages = cloudformation.get_paginator("list_stack_resources").paginate(StackName=stack)
    groups = {
        each["LogicalResourceId"]: each["PhysicalResourceId"]
        for page in pages
        for each in page["StackResourceSummaries"]
        # One that could not be made, or is gone, has no group behind it.
        if each["ResourceType"] == _GROUP
        and each.get("PhysicalResourceId")
        and each["ResourceStatus"] != "DELETE_COMPLETE"
    }
    return _revoke(own_rules(template["Resources"], groups), list(groups.values()))


def own_rules(resources: Mapping[str, Any], groups: Mapping[str, str]) -> set[Rule]:
    """Return the rules between groups that a template holds; ``groups`` has ids by logical ids."""
    rules = set()
    for resource in resources.values():
        given = resource.get("Properties", {})
        peer = given.get(_PEERS.get(resource["Type"], ""))
        if peer is not None:
            group_id, peer_id = (
                groups.get(each["Fn::GetAtt"][0], "") for each in (given["GroupId"], peer)
            )
            ports = given["FromPort"], given["ToPort"]
            is_egress = resource["Type"].endswith("Egress")
            rules.add(Rule(is_egress, group_id, peer_id, given["IpProtocol"], *ports))
    return rules


def _revoke(own: set[Rule], group_ids: Sequence[str]) -> int:
    if not group_ids:
        return 0
    ec2 = boto3.client("ec2", region_name=REGION)
    foreign: dict[tuple[str, bool], list[str]] = defaultdict(list)
    pages = ec2.get_paginator("describe_security_group_rules").paginate(
        Filters=[{"Name": "group-id", "Values": list(group_ids)}]
    )
    for page in pages:
        for told in page["SecurityGroupRules"]:
            peer_id = told.get("ReferencedGroupInfo", {}).get("GroupId")
            ends = told["IsEgress"], told["GroupId"], peer_id
            rule = Rule(*ends, told["IpProtocol"], told["FromPort"], told["ToPort"])
            if peer_id and rule not in own:
                foreign[told["GroupId"], told["IsEgress"]].append(told["SecurityGroupRuleId"])
    for (group_id, is_egress), rule_ids in foreign.items():
        revoke = (
            ec2.revoke_security_group_egress if is_egress else ec2.revoke_security_group_ingress
        )
        revoke(GroupId=group_id, SecurityGroupRuleIds=rule_ids)
    return sum(map(len, foreign.values()))


if __name__ == "__main__":
    sys.exit(main())
