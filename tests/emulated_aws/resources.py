"""Types of CloudFormation that moto knows by their API alone, and passes over in a template.

It passes over policies of topics too, and so do we: nobody is held against them.
"""

import json
from typing import Any, ClassVar

from moto.budgets.models import budgets_backends
from moto.cloudformation.parsing import get_model_map
from moto.cloudwatch.models import cloudwatch_backends
from moto.core.common_models import CloudFormationModel
from moto.ec2.models import ec2_backends
from moto.s3.models import s3_backends


class _Resource(CloudFormationModel):
    """One resource of a stack, made with its template's properties and deleted with its stack."""

    of_type: ClassVar[str]

    def __init__(self, name: str, properties: dict[str, Any], account: str, region: str) -> None:
        self.physical_resource_id = name
        self.properties = properties
        self.make(account, region)

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "_Resource":
        return cls(resource_name, cloudformation_json["Properties"], account_id, region_name)

    def is_created(self) -> bool:
        return True

    def make(self, account: str, region: str) -> None:
        raise NotImplementedError

    def delete(self, account: str, region: str) -> None:
        raise NotImplementedError


class _Egress(_Resource):
    """A rule from a security group to another, or to a prefix list."""

    of_type = "AWS::EC2::SecurityGroupEgress"

    def make(self, account: str, region: str) -> None:
        ec2_backends[account][region].authorize_security_group_egress(**self._rule())

    def delete(self, account: str, region: str) -> None:
        ec2_backends[account][region].revoke_security_group_egress(**self._rule())

    def _rule(self) -> dict[str, Any]:
        given = self.properties
        groups, lists = (
            given.get("DestinationSecurityGroupId"),
            given.get("DestinationPrefixListId"),
        )
        return {
            "group_name_or_id": given["GroupId"],
            "ip_protocol": given["IpProtocol"],
            "from_port": given["FromPort"],
            "to_port": given["ToPort"],
            "ip_ranges": [],
            "source_groups": [{"GroupId": groups}] if groups else [],
            "prefix_list_ids": [{"PrefixListId": lists}] if lists else [],
        }


class _Alarm(_Resource):
    """An alarm, which never goes off here: there are no metrics."""

    of_type = "AWS::CloudWatch::Alarm"

    def make(self, account: str, region: str) -> None:
        given = self.properties
        cloudwatch_backends[account][region].put_metric_alarm(
            name=self.physical_resource_id,
            namespace=given["Namespace"],
            metric_name=given["MetricName"],
            comparison_operator=given["ComparisonOperator"],
            evaluation_periods=given["EvaluationPeriods"],
            period=given["Period"],
            threshold=given["Threshold"],
            statistic=given["Statistic"],
            description=given["AlarmDescription"],
            dimensions=given["Dimensions"],
            alarm_actions=given["AlarmActions"],
        )

    def delete(self, account: str, region: str) -> None:
        cloudwatch_backends[account][region].delete_alarms([self.physical_resource_id])


class _BucketPolicy(_Resource):
    """A policy of a bucket; `permissions` holds the project's roles against it."""

    of_type = "AWS::S3::BucketPolicy"

    def make(self, account: str, region: str) -> None:
        policy = json.dumps(self.properties["PolicyDocument"]).encode()
        s3_backends[account]["aws"].put_bucket_policy(self.properties["Bucket"], policy)

    def delete(self, account: str, region: str) -> None:
        s3_backends[account]["aws"].delete_bucket_policy(self.properties["Bucket"])


class _Budget(_Resource):
    """A budget; it belongs to the account and not to a region."""

    of_type = "AWS::Budgets::Budget"

    def make(self, account: str, region: str) -> None:
        budgets_backends[account]["aws"].create_budget(
            account,
            {"BudgetName": self.physical_resource_id, **self.properties["Budget"]},
            self.properties["NotificationsWithSubscribers"],
        )

    def delete(self, account: str, region: str) -> None:
        budgets_backends[account]["aws"].delete_budget(account, self.physical_resource_id)


def add() -> None:
    """Let templates name these types."""
    for resource in (_Egress, _Alarm, _BucketPolicy, _Budget):
        get_model_map()[resource.of_type] = resource
