"""How a stack is deleted: what uses others goes first, nothing is tried twice, nothing stays."""

import re
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from typing import Any

from moto.cloudformation.models import CloudFormationBackend, Stack
from moto.cloudformation.parsing import ResourceMap
from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.route_tables import RouteTable
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupIngress
from moto.ec2.models.vpcs import VPCEndPoint

_delete_stack_of_moto = CloudFormationBackend.delete_stack


def add() -> None:
    """Put the additions into moto."""
    CloudFormationBackend.delete_stack = _delete_stack
    ResourceMap.delete = _delete_resources
    SecurityGroup.delete = _delete_security_group
    # moto leaves these where they are when it deletes a stack.
    SecurityGroupIngress.delete = _delete_rule
    VPCEndPoint.delete = lambda self, *_: self.ec2_backend.delete_vpc_endpoints([self.id])
    RouteTable.delete = lambda self, *_: self.ec2_backend.delete_route_table(self.id)
    FlowLogs.delete = lambda self, *_: self.ec2_backend.delete_flow_logs([self.id])


def _delete_stack(self: CloudFormationBackend, name_or_stack_id: str) -> None:
    # moto forgets a stack before it deletes what is in it. AWS answers at once, and keeps a stack
    # of which something could not be deleted.
    stack: Stack = self.get_stack(name_or_stack_id)
    try:
        _delete_stack_of_moto(self, stack.stack_id)
    except ServiceException as error:
        self.stacks[stack.stack_id] = stack
        stack.status = "DELETE_FAILED"
        stack._add_stack_event("DELETE_FAILED", error.message)


def _delete_resources(self: ResourceMap) -> None:
    # moto tries in any order, again and again: a template without the dependencies that AWS needs
    # would pass. What it has deleted it forgets, and makes once more for who looks at the outputs.
    deleted = vars(self).setdefault("_deleted", set())
    for name in _users_first(self._resource_json_map):
        template = self._resource_json_map[name]
        resource = self._parsed_resources.get(name)
        kept = name in deleted or template.get("DeletionPolicy") == "Retain"
        if resource is not None and not kept:
            self._delete_resource(resource, template)
            deleted.add(name)


def _delete_security_group(self: SecurityGroup, *_: str) -> None:
    # AWS keeps a group that a rule of another names; moto does not look.
    for group in self.ec2_backend.describe_security_groups():
        rules = [*group.ingress_rules, *group.egress_rules]
        named = {rule.source_group.get("GroupId") for rule in rules}
        if group.id != self.id and self.id in named:
            raise DependencyViolationError(f"resource {self.id} has a dependent object")
    self.ec2_backend.delete_security_group(group_id=self.id)


def _delete_rule(self: SecurityGroupIngress, *_: str) -> None:
    given = self.properties
    source, cidr = given.get("SourceSecurityGroupId"), given.get("CidrIp")
    self.security_group.ec2_backend.revoke_security_group_ingress(
        group_name_or_id=self.security_group.id,
        ip_protocol=given["IpProtocol"],
        from_port=given["FromPort"],
        to_port=given["ToPort"],
        ip_ranges=[{"CidrIp": cidr, "Description": given["Description"]}] if cidr else [],
        source_groups=[{"GroupId": source}] if source else [],
    )


def _users_first(resources: Mapping[str, Any]) -> list[str]:
    uses = {name: set(_named(resource)) & resources.keys() for name, resource in resources.items()}
    return list(TopologicalSorter(uses).static_order())[::-1]


def _named(value: Any) -> Iterator[str]:
    """Yield what a part of a template may refer to, by logical id."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            match key:
                case "Ref":
                    yield item
                case "Fn::GetAtt":
                    yield item[0]
                case "Fn::Sub":
                    yield from re.findall(r"\$\{(\w+)", str(item))
                case "DependsOn":
                    yield from [item] if isinstance(item, str) else item
                case _:
                    yield from _named(item)
