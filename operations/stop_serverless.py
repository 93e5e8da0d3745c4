"""Makes way for a deletion: ``python -m operations.stop_serverless [--stop] -c environment=test``.

CloudFormation can only delete an application that is stopped, and AWS stops only one without job
runs. Refuses while a run is under way, or stops it with ``--stop``. Says nothing where there is no
stack.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import botocore.exceptions

from cdk_app.config import ConfigError, PipelineConfig, stack_name
from operations.aws.applications import cancel_job_runs, stop_application
from operations.aws.aws_errors import convert_aws_errors, is_missing_stack
from operations.aws.clients import Client, aws_client
from operations.aws.executions import running_executions
from operations.aws.following import Sleep
from operations.cdk.context import parse_known, read_config
from operations.command_lines import installed_fruits_command, make_command
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.progress import echo


def stop_serverless(config: PipelineConfig, *, stop: bool, sleep: Sleep = time.sleep) -> None:
    """Leave a stopped application.  Raises FruitsError where that cannot be."""
    # By its resources and not by its outputs: a stack that could not be made or deleted has none.
    resources = _resources(stack_name(config.environment, "serverless"))
    machine_arn = resources.get("AWS::StepFunctions::StateMachine")
    application_id = resources.get("AWS::EMRServerless::Application")
    if machine_arn is not None:
        _stop_runs(aws_client("stepfunctions"), machine_arn, config, stop=stop)
    if application_id is None:
        return
    serverless = aws_client("emr-serverless")
    if left := cancel_job_runs(serverless, application_id, cancel=stop, sleep=sleep):
        raise FruitsError(
            f"the job {left} is under way, so nothing was deleted; wait until it is over, or "
            f"cancel it with: {_stop_command(config)}"
        )
    if not stop_application(serverless, application_id, sleep=sleep):
        raise FruitsError(
            f"the application {application_id} does not stop, so nothing was deleted; give the "
            "same command again in some minutes"
        )


def _stop_runs(sfn: Client, machine_arn: str, config: PipelineConfig, *, stop: bool) -> None:
    for execution_arn in running_executions(sfn, machine_arn):
        name = execution_arn.rpartition(":")[2]
        if not stop:
            follow = installed_fruits_command("status --serverless", config.environment)
            raise FruitsError(
                f"the run {name} is under way, so nothing was deleted; follow it with: {follow}, "
                f"or stop it with: {_stop_command(config)}"
            )
        sfn.stop_execution(executionArn=execution_arn)
        echo(f"stopped the run {name}; what its steps have completed stays")


def _stop_command(config: PipelineConfig) -> str:
    return make_command("destroy STACK=serverless STOP=yes", config.environment)


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


def main(arguments: Sequence[str] | None = None, *, sleep: Sleep = time.sleep) -> int:
    """Return 0 where the stack can be deleted, and 1 with a sentence where it cannot."""
    parser = argparse.ArgumentParser(prog="operations.stop_serverless", allow_abbrev=False)
    parser.add_argument("--stop", action="store_true", help="stop a run that is under way")
    parser.add_argument("--verbose", action="store_true", help="raise what fails")
    parsed = parse_known(parser, arguments)
    try:
        with convert_aws_errors():
            stop_serverless(read_config(parsed.context), stop=parsed.stop, sleep=sleep)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return ExitCode.INTERRUPTED
    except (ConfigError, FruitsError) as error:
        if parsed.verbose:
            raise
        print(f"fruits: {error}", file=sys.stderr)
        return ExitCode.FAILED
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
