"""The status command: follows the steps of the chain to their end."""

import argparse

from operations.aws.clients import aws_client
from operations.aws.clusters import describe_cluster, ended_sentence, newest_steps
from operations.aws.first_run import first_run_lines
from operations.aws.stacks import compute_stack
from operations.aws.submit_steps import read_definitions
from operations.command_lines import fruits_command
from operations.commands.cloud_arguments import add_environment
from operations.commands.follow_steps import Following, add_interval, follow_steps
from operations.commands.serverless_runs import add_serverless, follow_newest_run
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_interval(parser)
    parser.add_argument("--no-follow", action="store_true", help="print the current state and exit")
    parser.add_argument(
        "--first-run",
        action="store_true",
        help="print the facts of a first run that only the account has, one per line",
    )
    add_serverless(parser, help_text="follow the newest run on EMR Serverless")
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Follow the newest steps, or print the facts of a first run."""
    if parsed.first_run:
        for line in first_run_lines(parsed.environment, aws_client):
            echo(line)
        return ExitCode.DONE
    following = Following(parsed.environment, parsed.interval_seconds, parsed.no_follow)
    return (follow_newest_run if parsed.serverless else follow_newest_steps)(following)


def follow_newest_steps(following: Following) -> ExitCode:
    """Follow the newest steps of the cluster.  Raises FruitsError where it has none."""
    stack = compute_stack(following.environment)
    emr = aws_client("emr")
    definitions = read_definitions(aws_client("ssm"), stack.steps_parameter_name)
    step_ids = newest_steps(emr, stack.cluster_id, [step.name for step in definitions])
    if not step_ids:
        cluster = describe_cluster(emr, stack.cluster_id)
        if not cluster.takes_steps:
            raise FruitsError(ended_sentence(cluster, following.environment))
        raise FruitsError(
            f"the cluster {stack.cluster_id} has no steps of the chain; "
            f"submit them with: {fruits_command('submit', following.environment)}"
        )
    return follow_steps(stack, step_ids, following)


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; the steps run on, and the same command follows them again",
)
