"""Asks AWS for the facts.  It only reads: nothing is made or changed."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from botocore import exceptions as aws

from cdk_app.cluster.definition import RELEASE_LABEL, Fleet
from cdk_app.config import PipelineConfig, stack_name
from operations.aws.clients import Client
from operations.aws.clusters import describe_cluster
from operations.aws.failures import (
    AWS_ERRORS,
    NOT_ACTIVATED_CODES,
    is_missing_stack,
    sentence_of_aws,
)
from operations.aws.stacks import notices_topic_arn
from operations.preflight import asking_ec2
from operations.preflight.account import QUALIFIER
from operations.preflight.capacity import (
    ON_DEMAND_QUOTA_CODE,
    SERVERLESS_QUOTA_CODE,
    SPOT_QUOTA_CODE,
    VPC_QUOTA_CODE,
)
from operations.preflight.facts import (
    Answer,
    ClusterFacts,
    Computing,
    Facts,
    ServerlessFacts,
    StackState,
    Subscription,
    Toolkit,
    Unanswered,
)
from operations.preflight.place import instance_types
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code

BOOTSTRAP_PARAMETER = f"/cdk-bootstrap/{QUALIFIER}/version"
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

    def facts(self, config: PipelineConfig, stack: Computing) -> Facts:
        """Return what every deployment depends on; what AWS does not answer is a fact as well."""
        return Facts(
            bootstrap_version=self._answer(self._bootstrap_version),
            toolkit=self._answer(self._toolkit),
            is_on_free_plan=self._answer(self._is_on_free_plan),
            # A deployment without a budget needs no right to ask for one.
            takes_budgets=self._answer(self._takes_budgets)
            if config.budget_usd_per_month
            else True,
            stack=self._answer(lambda: self._stack(stack_name(config.environment, stack))),
            spark_version=self._answer(self._spark_version),
            subscription=self._answer(lambda: self._subscription(config)),
        )

    def cluster_facts(self, config: PipelineConfig, fleets: Sequence[Fleet]) -> ClusterFacts:
        """Return what a cluster depends on."""
        ec2, types = self._clients("ec2"), instance_types(fleets)
        return ClusterFacts(
            has_spot_role=self._answer(lambda: self._has_role("AWSServiceRoleForEC2Spot")),
            has_cleanup_role=self._answer(lambda: self._has_role("AWSServiceRoleForEMRCleanup")),
            zones_by_type=self._answer(lambda: asking_ec2.zones_by_type(ec2, types)),
            types_of_release=self._answer(self._types_of_release),
            zones_by_service=self._answer(lambda: asking_ec2.zones_by_service(ec2)),
            s3_prefix_list=self._answer(lambda: asking_ec2.s3_prefix_list(ec2)),
            on_demand_quota=self._answer(lambda: self._quota("ec2", ON_DEMAND_QUOTA_CODE)),
            spot_quota=self._answer(lambda: self._quota("ec2", SPOT_QUOTA_CODE)),
            running=self._answer(lambda: asking_ec2.running(ec2, config)),
            vpc_quota=self._answer(lambda: self._quota("vpc", VPC_QUOTA_CODE)),
            n_other_vpcs=self._answer(lambda: asking_ec2.n_other_vpcs(ec2, config)),
        )

    def serverless_facts(self) -> ServerlessFacts:
        """Return what EMR Serverless depends on."""
        return ServerlessFacts(
            has_role=self._answer(lambda: self._has_role("AWSServiceRoleForAmazonEMRServerless")),
            quota=self._answer(lambda: self._quota("emr-serverless", SERVERLESS_QUOTA_CODE)),
        )

    def _answer(self, ask: Callable[[], _T]) -> Answer[_T]:
        try:
            return ask()
        except AWS_ERRORS as error:
            if self._verbose:
                raise
            is_final = (
                isinstance(error, aws.ClientError) and error_code(error) in NOT_ACTIVATED_CODES
            )
            return Unanswered(sentence_of_aws(error), is_final=is_final)
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

    def _toolkit(self) -> Toolkit | None:
        told = self._describe_stack("CDKToolkit")
        if told is None:
            return None
        given = {
            each["ParameterKey"]: each["ParameterValue"] for each in told.get("Parameters", ())
        }
        return Toolkit(given.get("Qualifier", ""), given.get("FileAssetsBucketKmsKeyId", ""))

    def _is_on_free_plan(self) -> bool:
        try:
            plan = self._clients("freetier").get_account_plan_state()["accountPlanType"]
        except aws.ClientError as error:
            # Of an account from before there were plans.
            if error_code(error) == "ResourceNotFoundException":
                return False
            raise
        return bool(plan == "FREE")

    def _takes_budgets(self) -> bool:
        account = self._clients("sts").get_caller_identity()["Account"]
        try:
            self._clients("budgets").describe_budgets(AccountId=account, MaxResults=1)
        except aws.ClientError as error:
            if "linked account" in str(error):
                return False
            raise
        return True

    def _stack(self, name: str) -> StackState | None:
        told = self._describe_stack(name)
        if told is None:
            return None
        outputs = {each["OutputKey"]: each["OutputValue"] for each in told.get("Outputs", ())}
        has_ended = "ClusterId" in outputs and not (
            describe_cluster(self._clients("emr"), outputs["ClusterId"]).takes_steps
        )
        return StackState(told["StackStatus"], has_ended)

    def _describe_stack(self, name: str) -> Mapping[str, Any] | None:
        cloudformation = self._clients("cloudformation")
        try:
            told: Mapping[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except aws.ClientError as error:
            if is_missing_stack(error):
                return None
            raise
        return told

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

    def _types_of_release(self) -> frozenset[str]:
        emr, names = self._clients("emr"), set[str]()
        marker: dict[str, str] = {}
        while True:
            page = emr.list_supported_instance_types(ReleaseLabel=RELEASE_LABEL, **marker)
            names |= {each["Type"] for each in page["SupportedInstanceTypes"]}
            if not page.get("Marker"):
                return frozenset(names)
            marker = {"Marker": page["Marker"]}

    def _quota(self, service: str, code: str) -> int:
        quotas = self._clients("service-quotas")
        told = quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
        return int(told["Quota"]["Value"])

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
