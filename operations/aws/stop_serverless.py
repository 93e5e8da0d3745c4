"""Stops an application of EMR Serverless, so that CloudFormation can delete it.

CloudFormation can only delete an application that is stopped, and AWS stops only one without job
runs.
"""

import time

import botocore.exceptions

from cdk_app.config import Environment, stack_name
from operations.aws.applications import cancel_job_runs, stop_application
from operations.aws.aws_errors import is_missing_stack
from operations.aws.clients import Client, aws_client
from operations.aws.executions import running_executions
from operations.aws.following import Sleep
from operations.command_lines import fruits_command
from spark_assets.errors import FruitsError
from spark_assets.runtime.progress import echo


def stop_serverless(environment: Environment, *, stop: bool, sleep: Sleep = time.sleep) -> None:
    """Stop the application; with ``stop``, its runs first.

    Raises FruitsError where a run is under way or the application does not stop.
    """
    # By its resources and not by its outputs: a stack that could not be made or deleted has none.
    resources = _resources(stack_name(environment, "serverless"))
    machine_arn = resources.get("AWS::StepFunctions::StateMachine")
    application_id = resources.get("AWS::EMRServerless::Application")
    if machine_arn is not None:
        _stop_runs(aws_client("stepfunctions"), machine_arn, environment, stop=stop)
    if application_id is None:
        return
    serverless = aws_client("emr-serverless")
    if left := cancel_job_runs(serverless, application_id, cancel=stop, sleep=sleep):
        raise FruitsError(
            f"the job {left} is under way, so nothing was deleted; wait until it is over, or "
            f"cancel it with: {_stop_command(environment)}"
        )
    if not stop_application(serverless, application_id, sleep=sleep):
        raise FruitsError(
            f"the application {application_id} does not stop, so nothing was deleted; give the "
            "same command again in some minutes"
        )


def _stop_runs(sfn: Client, machine_arn: str, environment: Environment, *, stop: bool) -> None:
    for execution_arn in running_executions(sfn, machine_arn):
        name = execution_arn.rpartition(":")[2]
        if not stop:
            follow = fruits_command("status --serverless", environment)
            raise FruitsError(
                f"the run {name} is under way, so nothing was deleted; follow it with: {follow}, "
                f"or stop it with: {_stop_command(environment)}"
            )
        sfn.stop_execution(executionArn=execution_arn)
        echo(f"stopped the run {name}; what its steps have completed stays")


def _stop_command(environment: Environment) -> str:
    return fruits_command("destroy --stack serverless --stop", environment)


def _resources(name: str) -> dict[str, str]:
    """Return the physical ids of the resources of a stack, by type; nothing without the stack."""
    pages = aws_client("cloudformation").get_paginator("list_stack_resources")
    try:
        return {
            each["ResourceType"]: each["PhysicalResourceId"]
            for page in pages.paginate(StackName=name)
            for each in page["StackResourceSummaries"]
            if each["ResourceStatus"] != "DELETE_COMPLETE" and each.get("PhysicalResourceId")
        }
    except botocore.exceptions.ClientError as error:
        if is_missing_stack(error):
            return {}
        raise
