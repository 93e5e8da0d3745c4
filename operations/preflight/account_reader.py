"""Reads of an AWS account for the preflight; nothing is made or changed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore import exceptions as aws

from cdk_app.cluster.definition import RELEASE_LABEL
from cdk_app.config import PipelineConfig, stack_name
from cdk_app.endpoint_services import S3_PREFIX_LIST_NAME
from operations.aws.clients import Client
from operations.aws.clusters import describe_cluster
from operations.aws.stacks import describe_stack, notices_topic_arn, outputs_of
from operations.preflight.account_checks import QUALIFIER, StackState, Toolkit
from operations.preflight.finding import Computing
from operations.preflight.quota_checks import RunningInstance
from operations.preflight.region_checks import ENDPOINT_SERVICES
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code

BOOTSTRAP_PARAMETER = f"/cdk-bootstrap/{QUALIFIER}/version"
Clients = Callable[[str], Client]


@dataclass(frozen=True)
class AccountReader:
    """Reads one account; every method raises what AWS throws."""

    clients: Clients
    config: PipelineConfig

    def account_id(self) -> str:
        """Return the number of the account that the credentials are for."""
        return str(self.clients("sts").get_caller_identity()["Account"])

    def bootstrap_version(self) -> int | None:
        """Return the version of the CDK's stack; None before `cdk bootstrap`."""
        try:
            parameter = self.clients("ssm").get_parameter(Name=BOOTSTRAP_PARAMETER)
        except aws.ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise
        return int(parameter["Parameter"]["Value"])

    def toolkit(self) -> Toolkit | None:
        """Return the parameters of the CDK's stack; None where there is no such stack."""
        stack = describe_stack(self.clients("cloudformation"), "CDKToolkit")
        if stack is None:
            return None
        values = {
            each["ParameterKey"]: each["ParameterValue"] for each in stack.get("Parameters", ())
        }
        return Toolkit(values.get("Qualifier", ""), values.get("FileAssetsBucketKmsKeyId", ""))

    def is_on_free_plan(self) -> bool:
        """Return whether the account is on AWS's Free plan."""
        try:
            plan = self.clients("freetier").get_account_plan_state()["accountPlanType"]
        except aws.ClientError as error:
            # Accounts older than the plans have none.
            if error_code(error) == "ResourceNotFoundException":
                return False
            raise
        return bool(plan == "FREE")

    def allows_budgets(self) -> bool:
        """Return whether the account may have a budget: a linked account may not."""
        try:
            self.clients("budgets").describe_budgets(AccountId=self.account_id(), MaxResults=1)
        except aws.ClientError as error:
            if "linked account" in str(error):
                return False
            raise
        return True

    def stack_state(self, stack: Computing) -> StackState | None:
        """Return the state of the stack to deploy; None where there is no such stack."""
        name = stack_name(self.config.environment, stack)
        described = describe_stack(self.clients("cloudformation"), name)
        if described is None:
            return None
        outputs = outputs_of(described)
        has_ended = "ClusterId" in outputs and not (
            describe_cluster(self.clients("emr"), outputs["ClusterId"]).takes_steps
        )
        return StackState(described["StackStatus"], has_ended)

    def spark_version(self) -> str | None:
        """Return the Spark version of the EMR release; None where it is not offered."""
        try:
            release = self.clients("emr").describe_release_label(ReleaseLabel=RELEASE_LABEL)
        except aws.ClientError as error:
            # EMR's answer to an unknown label.
            if error_code(error) in ("InvalidRequestException", "ValidationException"):
                return None
            raise
        versions = {each["Name"]: str(each["Version"]) for each in release.get("Applications", ())}
        return versions.get("Spark")

    def supported_types(self) -> frozenset[str]:
        """Return the instance types that the EMR release supports."""
        # boto3 has no paginator for it.
        emr, names, marker = self.clients("emr"), set[str](), dict[str, str]()
        while True:
            page = emr.list_supported_instance_types(ReleaseLabel=RELEASE_LABEL, **marker)
            names |= {each["Type"] for each in page["SupportedInstanceTypes"]}
            if not page.get("Marker"):
                return frozenset(names)
            marker = {"Marker": page["Marker"]}

    def has_confirmed_address(self) -> bool | None:
        """Return whether ``alarm_email`` has confirmed; None where it is not subscribed yet."""
        topic_arn = notices_topic_arn(self.config.environment)
        if topic_arn is None:
            return None
        pages = self.clients("sns").get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=topic_arn):
            for each in page["Subscriptions"]:
                if each["Endpoint"] == self.config.alarm_email:
                    return bool(each["SubscriptionArn"] != "PendingConfirmation")
        return None

    def quota(self, service: str, code: str) -> int:
        """Return the value of a service quota."""
        quotas = self.clients("service-quotas")
        quota = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)["Quota"]
        return int(quota["Value"])

    def zones_by_type(self, types: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return the zones that offer each instance type."""
        pages = self._ec2.get_paginator("describe_instance_type_offerings").paginate(
            LocationType="availability-zone",
            Filters=[{"Name": "instance-type", "Values": list(types)}],
        )
        offered = [offering for page in pages for offering in page["InstanceTypeOfferings"]]
        return {
            name: frozenset(each["Location"] for each in offered if each["InstanceType"] == name)
            for name in {each["InstanceType"] for each in offered}
        }

    def zones_by_service(self) -> Mapping[str, frozenset[str]]:
        """Return the zones that offer an endpoint to each service of the network."""
        zones = {}
        # One by one: EC2 refuses a request with a name that it does not know.
        for name in ENDPOINT_SERVICES:
            try:
                found = self._ec2.describe_vpc_endpoint_services(ServiceNames=[name])
            except aws.ClientError as error:
                if error_code(error) != "InvalidServiceName":
                    raise
            else:
                details = found["ServiceDetails"]
                zones[name] = frozenset(
                    zone for each in details for zone in each["AvailabilityZones"]
                )
        return zones

    def s3_prefix_list(self) -> str | None:
        """Return the id of AWS's list of the addresses of S3, or None."""
        filters = [{"Name": "prefix-list-name", "Values": [S3_PREFIX_LIST_NAME]}]
        found = self._ec2.describe_managed_prefix_lists(Filters=filters)["PrefixLists"]
        return next((str(each["PrefixListId"]) for each in found), None)

    def n_other_vpcs(self) -> int:
        """Return the number of VPCs in the region that are not of the environment."""
        pages = self._ec2.get_paginator("describe_vpcs").paginate()
        return sum(not self._is_own(vpc) for page in pages for vpc in page["Vpcs"])

    def running_instances(self) -> list[RunningInstance]:
        """Return the instances that count towards a quota."""
        pages = self._ec2.get_paginator("describe_instances").paginate(
            Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
        )
        return [
            self._instance(instance)
            for page in pages
            for reservation in page["Reservations"]
            for instance in reservation["Instances"]
        ]

    @cached_property
    def _ec2(self) -> Client:
        return self.clients("ec2")

    def _instance(self, instance: Mapping[str, Any]) -> RunningInstance:
        if (cpu := instance.get("CpuOptions")) is None:
            raise FruitsError(f"AWS returns no vCPU count for a running {instance['InstanceType']}")
        return RunningInstance(
            instance_type=instance["InstanceType"],
            n_vcpus=cpu["CoreCount"] * cpu["ThreadsPerCore"],
            on_spot=instance.get("InstanceLifecycle") == "spot",
            is_own=self._is_own(instance),
        )

    def _is_own(self, resource: Mapping[str, Any]) -> bool:
        """Return whether a resource has the tags of the environment; EMR tags its nodes so."""
        tags = {tag["Key"]: tag["Value"] for tag in resource.get("Tags", ())}
        return self.config.tags.items() <= tags.items()
