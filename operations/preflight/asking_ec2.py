"""Asks EC2, which the clusters' nodes and network are of."""

from collections.abc import Mapping, Sequence
from typing import Any

from botocore import exceptions as aws

from cdk_app.config import PipelineConfig
from cdk_app.endpoint_services import S3_PREFIX_LIST_NAME
from operations.aws.clients import Client
from operations.preflight.facts import RunningInstance
from operations.preflight.place import ENDPOINT_SERVICES
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code


def zones_by_type(ec2: Client, types: Sequence[str]) -> Mapping[str, frozenset[str]]:
    """Return the zones in which each type is offered."""
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": list(types)}],
    )
    offered = [offering for page in pages for offering in page["InstanceTypeOfferings"]]
    return {
        name: frozenset(each["Location"] for each in offered if each["InstanceType"] == name)
        for name in {each["InstanceType"] for each in offered}
    }


def zones_by_service(ec2: Client) -> Mapping[str, frozenset[str]]:
    """Return the zones in which there is an endpoint to each service that the stack needs."""
    zones = {}
    # One by one: EC2 refuses the whole question where it does not know one of the names.
    for name in ENDPOINT_SERVICES:
        try:
            told = ec2.describe_vpc_endpoint_services(ServiceNames=[name])["ServiceDetails"]
        except aws.ClientError as error:
            if error_code(error) != "InvalidServiceName":
                raise
        else:
            zones[name] = frozenset(zone for each in told for zone in each["AvailabilityZones"])
    return zones


def s3_prefix_list(ec2: Client) -> str | None:
    """Return the number of AWS's list of the addresses of S3, or None."""
    told = ec2.describe_managed_prefix_lists(
        Filters=[{"Name": "prefix-list-name", "Values": [S3_PREFIX_LIST_NAME]}]
    )
    ids = [str(each["PrefixListId"]) for each in told["PrefixLists"]]
    return ids[0] if ids else None


def n_other_vpcs(ec2: Client, config: PipelineConfig) -> int:
    """Return how many VPCs are not of the environment."""
    pages = ec2.get_paginator("describe_vpcs").paginate()
    return sum(not _is_own(vpc, config) for page in pages for vpc in page["Vpcs"])


def running(ec2: Client, config: PipelineConfig) -> tuple[RunningInstance, ...]:
    """Return the instances that count towards a quota."""
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    )
    return tuple(
        _instance(instance, config)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    )


def _instance(instance: Mapping[str, Any], config: PipelineConfig) -> RunningInstance:
    if (cpu := instance.get("CpuOptions")) is None:
        raise FruitsError(f"AWS does not tell the vCPUs of a running {instance['InstanceType']}")
    return RunningInstance(
        instance_type=instance["InstanceType"],
        n_vcpus=cpu["CoreCount"] * cpu["ThreadsPerCore"],
        on_spot=instance.get("InstanceLifecycle") == "spot",
        is_own=_is_own(instance, config),
    )


def _is_own(resource: Mapping[str, Any], config: PipelineConfig) -> bool:
    """Tell by its tags what is of the environment; EMR hands those of a cluster to its nodes."""
    tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ())}
    return config.tags.items() <= tags.items()
