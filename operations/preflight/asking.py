"""Asks AWS for the facts.  It only reads: nothing is made or changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from botocore import exceptions as aws

from cdk_app.cluster.definition import RELEASE_LABEL, RUN_TAG, Fleet
from cdk_app.config import PipelineConfig
from operations.aws.clients import Client
from operations.aws.failures import AWS_ERRORS, sentence_of_aws
from operations.aws.stacks import notices_topic_arn
from operations.preflight.capacity import ON_DEMAND_QUOTA_CODE, SPOT_QUOTA_CODE
from operations.preflight.facts import (
    Answer,
    Computing,
    Facts,
    RunningInstance,
    Subscription,
    Unanswered,
)
from operations.preflight.place import ENDPOINT_SERVICES, instance_types
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code

BOOTSTRAP_PARAMETER = "/cdk-bootstrap/hnb659fds/version"
_T = TypeVar("_T")
Clients = Callable[[str], Client]


class Asking:
    """Asks one account.  ``verbose`` raises what AWS throws, rather than telling it."""

    def __init__(self, clients: Clients, *, verbose: bool = False) -> None:
        self._clients = clients
        self._verbose = verbose

    def account(self) -> Answer[str]:
        """Return the number of the account that the credentials are for."""
        return self._answer(lambda: str(self._clients("sts").get_caller_identity()["Account"]))

    def facts(self, config: PipelineConfig, stack: Computing, fleets: Sequence[Fleet]) -> Facts:
        """Return all that the checks look at; what AWS does not answer is a fact as well."""
        ec2 = self._clients("ec2")
        types = instance_types(fleets)
        return Facts(
            bootstrap_version=self._answer(self._bootstrap_version),
            has_spot_role=self._answer(lambda: self._has_role("AWSServiceRoleForEC2Spot")),
            has_cleanup_role=self._answer(lambda: self._has_role("AWSServiceRoleForEMRCleanup")),
            zones_by_type=self._answer(lambda: _zones_by_type(ec2, types)),
            spark_version=self._answer(self._spark_version),
            zones_by_service=self._answer(lambda: _zones_by_service(ec2)),
            on_demand_quota=self._answer(lambda: self._quota(ON_DEMAND_QUOTA_CODE)),
            spot_quota=self._answer(lambda: self._quota(SPOT_QUOTA_CODE)),
            running=self._answer(lambda: _running(ec2, config, stack)),
            subscription=self._answer(lambda: self._subscription(config)),
        )

    def _answer(self, ask: Callable[[], _T]) -> Answer[_T]:
        try:
            return ask()
        except AWS_ERRORS as error:
            if self._verbose:
                raise
            return Unanswered(sentence_of_aws(error))
        except FruitsError as error:
            return Unanswered(str(error))

    def _bootstrap_version(self) -> int | None:
        ssm = self._clients("ssm")
        try:
            return int(ssm.get_parameter(Name=BOOTSTRAP_PARAMETER)["Parameter"]["Value"])
        except aws.ClientError as error:
            if error_code(error) == "ParameterNotFound":
                return None
            raise

    def _has_role(self, name: str) -> bool:
        try:
            self._clients("iam").get_role(RoleName=name)
        except aws.ClientError as error:
            if error_code(error) == "NoSuchEntity":
                return False
            raise
        return True

    def _spark_version(self) -> str | None:
        try:
            told = self._clients("emr").describe_release_label(ReleaseLabel=RELEASE_LABEL)
        except aws.ClientError as error:
            # A label that EMR does not know is to it a request that is not valid.
            if error_code(error) in ("InvalidRequestException", "ValidationException"):
                return None
            raise
        versions = {each["Name"]: str(each["Version"]) for each in told.get("Applications", ())}
        return versions.get("Spark")

    def _quota(self, code: str) -> int:
        quotas = self._clients("service-quotas")
        return int(quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"])

    def _subscription(self, config: PipelineConfig) -> Subscription:
        if not config.alarm_email:
            return Subscription.NOT_SUBSCRIBED
        topic_arn = notices_topic_arn(config.environment)
        if topic_arn is None:
            return Subscription.NO_STACK
        pages = self._clients("sns").get_paginator("list_subscriptions_by_topic")
        for page in pages.paginate(TopicArn=topic_arn):
            for each in page["Subscriptions"]:
                if each["Endpoint"] == config.alarm_email:
                    is_pending = each["SubscriptionArn"] == "PendingConfirmation"
                    return Subscription.PENDING if is_pending else Subscription.CONFIRMED
        return Subscription.NOT_SUBSCRIBED


def _zones_by_type(ec2: Client, types: Sequence[str]) -> Mapping[str, frozenset[str]]:
    pages = ec2.get_paginator("describe_instance_type_offerings").paginate(
        LocationType="availability-zone",
        Filters=[{"Name": "instance-type", "Values": list(types)}],
    )
    offered = [offering for page in pages for offering in page["InstanceTypeOfferings"]]
    return {
        name: frozenset(each["Location"] for each in offered if each["InstanceType"] == name)
        for name in {each["InstanceType"] for each in offered}
    }


def _zones_by_service(ec2: Client) -> Mapping[str, frozenset[str]]:
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


def _running(ec2: Client, config: PipelineConfig, stack: Computing) -> tuple[RunningInstance, ...]:
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": ["pending", "running"]}]
    )
    return tuple(
        _instance(instance, config, stack)
        for page in pages
        for reservation in page["Reservations"]
        for instance in reservation["Instances"]
    )


def _instance(
    instance: Mapping[str, Any], config: PipelineConfig, stack: Computing
) -> RunningInstance:
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", ())}
    # EMR hands the tags of a cluster down to its nodes, and a run on demand tags its cluster.
    is_of_a_run = RUN_TAG in tags
    if (cpu := instance.get("CpuOptions")) is None:
        raise FruitsError(f"AWS does not tell the vCPUs of a running {instance['InstanceType']}")
    return RunningInstance(
        instance_type=instance["InstanceType"],
        n_vcpus=cpu["CoreCount"] * cpu["ThreadsPerCore"],
        on_spot=instance.get("InstanceLifecycle") == "spot",
        is_own=config.tags.items() <= tags.items()
        and is_of_a_run is (stack is Computing.ON_DEMAND),
    )
