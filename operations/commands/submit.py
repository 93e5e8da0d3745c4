"""The submit command: the steps, on the cluster or on EMR Serverless; or a notebook."""

import argparse
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from operations.aws import submit_steps as steps
from operations.aws.clients import aws_client
from operations.aws.max_cost import (
    check_max_cost,
    estimate_on_cluster,
    estimate_on_serverless,
)
from operations.aws.notebooks import read_notebook, upload_notebook
from operations.aws.stacks import ComputeStack, compute_stack, data_stack, serverless_stack
from operations.command_lines import fruits_command
from operations.commands.cloud_arguments import add_environment
from operations.commands.follow_steps import Following, add_interval, follow_steps
from operations.commands.serverless_runs import add_serverless, submit_run
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
        help="do not submit a run whose estimated cost is higher",
    )
    add_serverless(parser, help_text="on EMR Serverless, which needs no cluster")
    parser.add_argument(
        "--notebook",
        metavar="FILE",
        help="execute this notebook on the cluster, instead of the steps; it and its page (.html) "
        "go to the bucket of the results",
    )
    parser.add_argument("--follow", action="store_true", help="follow the steps to their end")
    add_interval(parser)
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Submit the steps or a notebook."""
    following = Following(parsed.environment, parsed.interval_seconds)
    if parsed.notebook is not None:
        if parsed.serverless or parsed.max_cost is not None:
            raise FruitsError(
                "--notebook executes a notebook on the cluster that runs; "
                "leave --serverless and --max-cost out"
            )
        return submit_notebook(parsed.notebook, following, follow=parsed.follow)
    if parsed.serverless:
        if parsed.max_cost is not None:
            application_id = serverless_stack(parsed.environment).application_id
            estimate = estimate_on_serverless(aws_client("emr-serverless"), application_id)
            _check_max_cost(parsed, estimate)
        return submit_run(following, until_end=parsed.follow)
    if parsed.max_cost is not None:
        cluster_id = compute_stack(parsed.environment).cluster_id
        _check_max_cost(parsed, estimate_on_cluster(aws_client("emr"), cluster_id))
    return submit_steps(following, follow=parsed.follow)


def submit_steps(following: Following, *, follow: bool) -> ExitCode:
    """Submit the steps to the cluster, and follow them or print how to."""
    stack = compute_stack(following.environment)
    submitted = steps.submit(aws_client("emr"), aws_client("ssm"), stack, following.environment)
    for name, step_id in submitted.items():
        echo(f"{name}: {step_id} on {stack.cluster_id}")
    return _follow(stack, list(submitted.values()), following, follow=follow)


def submit_notebook(notebook: str, following: Following, *, follow: bool) -> ExitCode:
    """Execute a notebook on the cluster, and follow it or print how to."""
    content = read_notebook(notebook)
    stack = compute_stack(following.environment)
    emr = aws_client("emr")
    steps.check_takes_steps(emr, stack, following.environment)
    arguments = upload_notebook(
        aws_client("s3"), stack.notebooks_uri, notebook, content, datetime.now(UTC)
    )
    step_id = steps.submit_notebook(emr, aws_client("ssm"), stack, arguments)
    echo(f"notebook: {step_id} on {stack.cluster_id}")
    return _follow(stack, [step_id], following, follow=follow)


def _follow(
    stack: ComputeStack, step_ids: Sequence[str], following: Following, *, follow: bool
) -> ExitCode:
    if follow:
        return follow_steps(stack, step_ids, following)
    echo(f"follow with: {fruits_command('status', following.environment)}")
    return ExitCode.DONE


def _check_max_cost(parsed: argparse.Namespace, estimate: Callable[[Work], RunEstimate]) -> None:
    images = data_stack(parsed.environment).images
    check_max_cost(images, estimate, max_cost_usd=parsed.max_cost)


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; the steps may be submitted already; check with: fruits status",
)
