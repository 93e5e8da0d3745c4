"""All nodes of a cluster with their times, those that have ended included."""

from collections.abc import Iterable, Mapping
from typing import Any

from cdk_app.config import ROOT_VOLUME_GIB
from operations.aws.clients import Client
from operations.costs.cluster_costs import default_cluster
from operations.costs.receipt_costs import CORE, PRIMARY, TASK, ClusterRecord, Node

_FLEET = "INSTANCE_FLEET"


def read_cluster(emr: Client, cluster_id: str) -> ClusterRecord:
    """Return a cluster and every node it ever had."""
    cluster = emr.describe_cluster(ClusterId=cluster_id)["Cluster"]
    has_fleets = cluster.get("InstanceCollectionType") == _FLEET
    work_gb = _work_gb(emr, cluster_id, has_fleets=has_fleets)
    root_gb = cluster.get("EbsRootVolumeSize") or ROOT_VOLUME_GIB
    timeline = cluster["Status"]["Timeline"]
    return ClusterRecord(
        cluster_id,
        timeline["CreationDateTime"],
        timeline.get("EndDateTime"),
        tuple(
            _node(instance, role, root_gb + work_gb[role])
            for role in (PRIMARY, CORE, TASK)
            for instance in _instances(emr, cluster_id, role, has_fleets=has_fleets)
        ),
    )


def _instances(
    emr: Client, cluster_id: str, role: str, *, has_fleets: bool
) -> Iterable[Mapping[str, Any]]:
    """Yield the nodes of a role in every state; EMR does not report the role of a node."""
    by_role = {"InstanceFleetType": role} if has_fleets else {"InstanceGroupTypes": [role]}
    for page in emr.get_paginator("list_instances").paginate(ClusterId=cluster_id, **by_role):
        yield from page["Instances"]


def _node(instance: Mapping[str, Any], role: str, disk_gb: int) -> Node:
    timeline = instance["Status"]["Timeline"]
    return Node(
        role,
        instance["InstanceType"],
        instance.get("Market", "ON_DEMAND"),
        disk_gb,
        timeline["CreationDateTime"],
        timeline.get("EndDateTime"),
    )


def _work_gb(emr: Client, cluster_id: str, *, has_fleets: bool) -> dict[str, int]:
    """Return the work disk per node by role, as in ``cdk.json`` where EMR reports none."""
    default_gb = default_cluster().disk_gb - ROOT_VOLUME_GIB
    by_role = dict.fromkeys((PRIMARY, CORE, TASK), default_gb)
    if has_fleets:
        for page in emr.get_paginator("list_instance_fleets").paginate(ClusterId=cluster_id):
            for fleet in page["InstanceFleets"]:
                types = fleet.get("InstanceTypeSpecifications", ())
                largest = max((_volumes_gb(each) for each in types), default=0)
                by_role[fleet["InstanceFleetType"]] = largest or default_gb
        return by_role
    for page in emr.get_paginator("list_instance_groups").paginate(ClusterId=cluster_id):
        for group in page["InstanceGroups"]:
            by_role[group["InstanceGroupType"]] = _volumes_gb(group) or default_gb
    return by_role


def _volumes_gb(holder: Mapping[str, Any]) -> int:
    return sum(
        device["VolumeSpecification"]["SizeInGB"] for device in holder.get("EbsBlockDevices", ())
    )
