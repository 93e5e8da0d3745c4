"""Submission of deployed steps to the cluster: the chain, an erasure, a notebook."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from cdk_app.config import Environment
from operations.aws.clients import Client
from operations.aws.clusters import describe_cluster, ended_sentence
from operations.aws.stacks import ComputeStack
from spark_assets.errors import FruitsError

_RUNNER = "command-runner.jar"
# The cluster stays for another attempt, and the steps after the failed one are cancelled.
_ON_FAILURE = "CANCEL_AND_WAIT"
# No step depends on a notebook.
_ON_FAILURE_OF_NOTEBOOK = "CONTINUE"


@dataclass(frozen=True, slots=True)
class StepDefinition:
    """A step that can be submitted: its name, and the command line that the cluster runs."""

    name: str
    arguments: tuple[str, ...]


def read_definitions(ssm: Client, parameter_name: str) -> list[StepDefinition]:
    """Return the steps in the order in which they run.

    Raises FruitsError for a parameter that holds no steps.
    """
    text = ssm.get_parameter(Name=parameter_name)["Parameter"]["Value"]
    try:
        return [_definition(step) for step in json.loads(text)]
    except (ValueError, TypeError, KeyError) as error:
        raise FruitsError(
            f"the parameter {parameter_name} does not hold the steps of the chain; "
            "deploy the stack again, which writes it"
        ) from error


def submit(
    emr: Client, ssm: Client, stack: ComputeStack, environment: Environment
) -> dict[str, str]:
    """Add the steps to the cluster; return their ids by name.

    Raises FruitsError if the cluster accepts no more steps.
    """
    check_takes_steps(emr, stack, environment)
    definitions = read_definitions(ssm, stack.steps_parameter_name)
    return _submit(emr, stack, definitions, _ON_FAILURE)


def submit_erasure(emr: Client, ssm: Client, stack: ComputeStack, environment: Environment) -> str:
    """Add the step of an erasure to the cluster; return its id.  Raises FruitsError as `submit`."""
    check_takes_steps(emr, stack, environment)
    definitions = read_definitions(ssm, stack.erasure_step_parameter_name)
    (step_id,) = _submit(emr, stack, definitions, _ON_FAILURE).values()
    return step_id


def submit_notebook(emr: Client, ssm: Client, stack: ComputeStack, more: Sequence[str]) -> str:
    """Add the step of a notebook with further arguments; return its id."""
    (step,) = read_definitions(ssm, stack.notebook_step_parameter_name)
    complete = replace(step, arguments=(*step.arguments, *more))
    (step_id,) = _submit(emr, stack, [complete], _ON_FAILURE_OF_NOTEBOOK).values()
    return step_id


def check_takes_steps(emr: Client, stack: ComputeStack, environment: Environment) -> None:
    """Raise FruitsError if the cluster accepts no more steps."""
    cluster = describe_cluster(emr, stack.cluster_id)
    if not cluster.takes_steps:
        raise FruitsError(ended_sentence(cluster, environment))


def _submit(
    emr: Client, stack: ComputeStack, definitions: Sequence[StepDefinition], on_failure: str
) -> dict[str, str]:
    answer = emr.add_job_flow_steps(
        JobFlowId=stack.cluster_id,
        Steps=[_step_config(step, on_failure) for step in definitions],
    )
    names = [step.name for step in definitions]
    return dict(zip(names, answer["StepIds"], strict=True))


def _definition(step: Mapping[str, Any]) -> StepDefinition:
    name, arguments = step["name"], step["arguments"]
    if not isinstance(name, str) or not isinstance(arguments, list):
        raise TypeError
    return StepDefinition(name, tuple(map(str, arguments)))


def _step_config(step: StepDefinition, on_failure: str) -> dict[str, Any]:
    return {
        "Name": step.name,
        "ActionOnFailure": on_failure,
        "HadoopJarStep": {"Jar": _RUNNER, "Args": list(step.arguments)},
    }
