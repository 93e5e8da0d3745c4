"""The submit command: the steps, on the cluster or on EMR Serverless; or a notebook."""

import argparse
from collections.abc import Callable
from datetime import UTC, datetime

from operations.aws.clients import aws_client
from operations.aws.max_cost import (
    check_max_cost,
    estimate_on_cluster,
    estimate_on_serverless,
)
from operations.aws.notebooks import read_notebook, upload_notebook
from operations.aws.stacks import compute_stack, data_stack, serverless_stack
from operations.aws.submit_steps import check_takes_steps, submit, submit_notebook
from operations.command_lines import fruits_command
from operations.commands.arguments import add_environment, add_interval
from operations.commands.serverless import add_serverless, submit_serverless
from operations.commands.status import follow_steps
from operations.costs.run_costs import RunEstimate, Work
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.argument_types import positive_float
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--max-cost",
        type=positive_float,
        metavar="USD",
        help="submit nothing where the run is estimated to cost more",
    )
    add_serverless(parser, help_text="on EMR Serverless, which needs no cluster")
    parser.add_argument(
        "--notebook",
        metavar="FILE",
        help="execute this notebook on the cluster, instead of the steps; it and its page (.html) "
        "go to the bucket of the results",
    )
    parser.add_argument("--follow", action="store_true", help="then do what 'fruits status' does")
    add_interval(parser)
    parser.set_defaults(no_follow=False)
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Submit the steps or a notebook, and follow them or say how to."""
    if parsed.notebook is not None:
        return _run_notebook(parsed)
    if parsed.serverless:
        application_id = serverless_stack(parsed.environment).application_id
        _check_max_cost(
            parsed, estimate_on_serverless(aws_client("emr-serverless"), application_id)
        )
        return submit_serverless(parsed)
    stack = compute_stack(parsed.environment)
    _check_max_cost(parsed, estimate_on_cluster(aws_client("emr"), stack.cluster_id))
    submitted = submit(aws_client("emr"), aws_client("ssm"), stack, parsed.environment)
    for name, step_id in submitted.items():
        echo(f"{name}: {step_id} on {stack.cluster_id}")
    if parsed.follow:
        return follow_steps(stack, list(submitted.values()), parsed)
    echo(f"follow them with: {fruits_command('status', parsed.environment)}")
    return ExitCode.DONE


def _run_notebook(parsed: argparse.Namespace) -> ExitCode:
    if parsed.serverless or parsed.max_cost is not None:
        raise FruitsError(
            "--notebook executes a notebook on the cluster that runs; "
            "leave --serverless and --max-cost out"
        )
    content = read_notebook(parsed.notebook)
    stack = compute_stack(parsed.environment)
    emr = aws_client("emr")
    check_takes_steps(emr, stack, parsed.environment)
    more = upload_notebook(
        aws_client("s3"), stack.notebooks_uri, parsed.notebook, content, datetime.now(UTC)
    )
    step_id = submit_notebook(emr, aws_client("ssm"), stack, more)
    echo(f"notebook: {step_id} on {stack.cluster_id}")
    if parsed.follow:
        return follow_steps(stack, [step_id], parsed)
    echo(f"follow it with: {fruits_command('status', parsed.environment)}")
    return ExitCode.DONE


def _check_max_cost(parsed: argparse.Namespace, estimate: Callable[[Work], RunEstimate]) -> None:
    if parsed.max_cost is not None:
        images = data_stack(parsed.environment).images
        check_max_cost(images, estimate, max_cost_usd=parsed.max_cost)


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; the steps may be submitted already: 'fruits status' tells",
)
