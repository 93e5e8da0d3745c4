"""What there is in an account, as far as the project makes such things."""

from collections.abc import Callable, Iterable
from typing import Any

from tests.emulated_aws.account import ACCOUNT
from tests.end_to_end.emulated_cloud import EmulatedCloud

# By what it is called here: the service, its operation, where the answer holds it, and its name.
_LISTED = {
    "stacks": ("cloudformation", "describe_stacks", "Stacks", "StackName"),
    "buckets": ("s3", "list_buckets", "Buckets", "Name"),
    "VPCs": ("ec2", "describe_vpcs", "Vpcs", "VpcId"),
    "subnets": ("ec2", "describe_subnets", "Subnets", "SubnetId"),
    "route tables": ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    "security groups": ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    "flow logs": ("ec2", "describe_flow_logs", "FlowLogs", "FlowLogId"),
    "roles": ("iam", "list_roles", "Roles", "RoleName"),
    "instance profiles": (
        "iam", "list_instance_profiles", "InstanceProfiles", "InstanceProfileName",
    ),
    "log groups": ("logs", "describe_log_groups", "logGroups", "logGroupName"),
    "topics": ("sns", "list_topics", "Topics", "TopicArn"),
    "rules": ("events", "list_rules", "Rules", "Name"),
    "alarms": ("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName"),
    "dashboards": ("cloudwatch", "list_dashboards", "DashboardEntries", "DashboardName"),
    "state machines": ("stepfunctions", "list_state_machines", "stateMachines", "name"),
    "parameters": ("ssm", "describe_parameters", "Parameters", "Name"),
}  # fmt: skip

Inventory = dict[str, set[str]]


def take_inventory(cloud: EmulatedCloud) -> Inventory:
    """Return the names of all there is, by kind.  What is ended or deleted is not there."""
    found = {
        kind: _names(getattr(cloud.client(service), operation)()[holder], name)
        for kind, (service, operation, holder, name) in _LISTED.items()
    }
    found["endpoints"] = _names(
        cloud.client("ec2").describe_vpc_endpoints()["VpcEndpoints"],
        "VpcEndpointId",
        lambda endpoint: endpoint["State"] != "deleted",
    )
    found["clusters"] = _names(
        cloud.client("emr").list_clusters()["Clusters"],
        "Id",
        lambda cluster: not cluster["Status"]["State"].startswith("TERMINATED"),
    )
    found["applications"] = _names(
        cloud.client("emr-serverless").list_applications()["applications"],
        "id",
        lambda application: application["state"] != "TERMINATED",
    )
    budgets = cloud.client("budgets").describe_budgets(AccountId=ACCOUNT)["Budgets"]
    found["budgets"] = _names(budgets, "BudgetName")
    found["keys"] = _customer_keys(cloud)
    return found


def _customer_keys(cloud: EmulatedCloud) -> set[str]:
    """Return the keys that somebody made; those of AWS itself come when a service needs one."""
    kms = cloud.client("kms")
    of_aws = {
        alias["TargetKeyId"]
        for alias in kms.list_aliases()["Aliases"]
        if alias["AliasName"].startswith("alias/aws/") and "TargetKeyId" in alias
    }
    return _names(kms.list_keys()["Keys"], "KeyArn", lambda key: key["KeyId"] not in of_aws)


def _names(
    entries: Iterable[Any], name: str, is_there: Callable[[Any], bool] = lambda entry: True
) -> set[str]:
    return {entry[name] for entry in entries if is_there(entry)}
