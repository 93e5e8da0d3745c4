"""The on-demand stack as it stands, and the runs that are under way."""

from collections.abc import Iterator
from dataclasses import dataclass

import botocore.exceptions

from cdk_app.config import PipelineConfig, stack_name
from operations.aws.clients import Client, aws_client
from operations.aws.failures import is_missing_stack

_GONE = "DELETE_COMPLETE"


@dataclass(frozen=True, slots=True)
class RunStack:
    """What a clean-up needs of the stack; None what it does not have, as after half a deletion."""

    machine_arn: str | None
    vpc_id: str | None


def find_run_stack(config: PipelineConfig) -> RunStack | None:
    """Return the on-demand stack of an environment, or None where there is none.

    By its resources and not by its outputs: a stack that could not be made or deleted has none.
    """
    try:
        resources = dict(_resources(stack_name(config.environment, "on-demand")))
    except botocore.exceptions.ClientError as error:
        if is_missing_stack(error):
            return None
        raise
    return RunStack(
        resources.get("AWS::StepFunctions::StateMachine"), resources.get("AWS::EC2::VPC")
    )


def running_executions(sfn: Client, machine_arn: str) -> list[str]:
    """Return the ARNs of the runs that are under way: one, but for a moment."""
    pages = sfn.get_paginator("list_executions").paginate(
        stateMachineArn=machine_arn, statusFilter="RUNNING"
    )
    return [str(each["executionArn"]) for page in pages for each in page["executions"]]


def _resources(name: str) -> Iterator[tuple[str, str]]:
    # Listed, for what describes them tells no more than a hundred.
    pages = aws_client("cloudformation").get_paginator("list_stack_resources")
    for page in pages.paginate(StackName=name):
        for each in page["StackResourceSummaries"]:
            if each["ResourceStatus"] != _GONE and each.get("PhysicalResourceId"):
                yield each["ResourceType"], each["PhysicalResourceId"]
