"""The deployed stacks of an environment, read by name and outputs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import botocore.exceptions

from cdk_app.config import REGION, Environment, stack_name
from operations.aws.aws_errors import is_missing_stack
from operations.aws.clients import Client, aws_client
from operations.command_lines import fruits_command
from spark_assets.errors import FruitsError
from spark_assets.storage.locations import Location, S3Settings, parse_location
from spark_assets.text.printable import printable_line


@dataclass(frozen=True, slots=True)
class DataStack:
    """Places of photographs, results and logs.

    ``bucket_names`` ends with the buckets for logs, that for access logs last: work on the others
    writes more of them.
    """

    name: str
    images: Location
    output: Location
    bucket_names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ComputeStack:
    """The cluster.  ``log_uri`` is a prefix that ends in ``/``, ``notebooks_uri`` does not."""

    cluster_id: str
    steps_parameter_name: str
    erasure_step_parameter_name: str
    notebook_step_parameter_name: str
    notebooks_uri: str
    log_uri: str


@dataclass(frozen=True, slots=True)
class ServerlessStack:
    """The application, and the state machine of its runs.  ``log_uri`` ends in ``/``.

    The parameter holds the arguments of `StartJobRun` for an erasure.
    """

    application_id: str
    state_machine_arn: str
    erasure_job_parameter_name: str
    log_uri: str


def find_data_stack(environment: Environment) -> DataStack | None:
    """Return the data stack of an environment, or None where there is none."""
    name = stack_name(environment, "data")
    outputs = _outputs(name, environment)
    if outputs is None:
        return None
    s3 = replace(S3Settings.from_environment(), region=REGION)
    buckets = {key: value for key, value in outputs.items() if key.endswith("BucketName")}
    in_order = sorted(buckets, key=lambda key: ("Logs" in key, "Access" in key, key))
    return DataStack(
        name,
        replace(parse_location(outputs["ImagesUri"]), s3=s3),
        replace(parse_location(outputs["OutputUri"]), s3=s3),
        tuple(buckets[key] for key in in_order),
    )


def data_stack(environment: Environment) -> DataStack:
    """Return the data stack of an environment.  Raises FruitsError where there is none."""
    if (stack := find_data_stack(environment)) is None:
        raise FruitsError(
            f"nothing is deployed in the {environment} environment, so there is no bucket; "
            f"make one with: {fruits_command('deploy', environment)}"
        )
    return stack


def compute_stack(environment: Environment) -> ComputeStack:
    """Return the compute stack of an environment.  Raises FruitsError where there is none."""
    outputs = _outputs(stack_name(environment, "compute"), environment)
    if outputs is None:
        raise FruitsError(
            f"there is no cluster in the {environment} environment; "
            f"make one with: {fruits_command('deploy', environment)}"
        )
    return ComputeStack(
        outputs["ClusterId"],
        outputs["StepsParameterName"],
        outputs["ErasureStepParameterName"],
        outputs["NotebookStepParameterName"],
        outputs["NotebooksUri"],
        f"{outputs['LogUri'].rstrip('/')}/",
    )


def serverless_stack(environment: Environment) -> ServerlessStack:
    """Return the serverless stack of an environment.  Raises FruitsError where there is none."""
    if (stack := find_serverless_stack(environment)) is None:
        raise FruitsError(
            f"there is no EMR Serverless application in the {environment} environment; "
            f"make one with: {fruits_command('deploy --stack serverless', environment)}"
        )
    return stack


def find_serverless_stack(environment: Environment) -> ServerlessStack | None:
    """Return the serverless stack of an environment, or None where there is none."""
    command = fruits_command("deploy --stack serverless", environment)
    outputs = _outputs(stack_name(environment, "serverless"), environment, command)
    if outputs is None:
        return None
    return ServerlessStack(
        outputs["ApplicationId"],
        outputs["StateMachineArn"],
        outputs["ErasureJobParameterName"],
        f"{outputs['LogUri'].rstrip('/')}/",
    )


def notices_topic_arn(environment: Environment) -> str | None:
    """Return the topic for notices; None without the data stack, or before it has one."""
    outputs = _outputs(stack_name(environment, "data"), environment)
    return None if outputs is None else outputs.get("NoticesTopicArn")


def describe_stack(cloudformation: Client, name: str) -> Mapping[str, Any] | None:
    """Return CloudFormation's description of a stack, or None where there is none."""
    try:
        found: Mapping[str, Any] = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    except botocore.exceptions.ClientError as error:
        if is_missing_stack(error):
            return None
        raise
    return found


def outputs_of(stack: Mapping[str, Any]) -> dict[str, str]:
    """Return the outputs of a described stack."""
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}


class _Outputs(dict[str, str]):
    """The outputs of a stack; a missing one raises FruitsError with the state of the stack."""

    def __init__(self, stack: Mapping[str, Any], command: str) -> None:
        super().__init__(outputs_of(stack))
        self._stack = f"{stack['StackName']} is in the state {stack['StackStatus']}"
        self._command = command

    def __missing__(self, key: str) -> str:
        raise FruitsError(
            f"the stack {printable_line(self._stack)} and has no output {key}; "
            f"wait until it is complete, or complete it with: {self._command}"
        )


def _outputs(name: str, environment: Environment, command: str = "") -> _Outputs | None:
    stack = describe_stack(aws_client("cloudformation"), name)
    return (
        None if stack is None else _Outputs(stack, command or fruits_command("deploy", environment))
    )
