"""The erase command: what the erase job does, and in AWS with the tables done by Spark there."""

import argparse
import os
from collections.abc import Callable, Sequence

from cdk_app.config import REGION, Environment
from cdk_app.retention_days import NOTEBOOK_DAYS
from operations.aws.clients import aws_client
from operations.aws.stacks import compute_stack, data_stack, serverless_stack
from operations.aws.submit_steps import submit_erasure
from operations.cdk.configuration import read_config
from operations.commands.cloud_arguments import add_environment
from operations.commands.follow_steps import Following, add_interval, follow_steps
from operations.commands.serverless_runs import run_erasure_job
from spark_assets.erasure.run_erasure import conclude_all, plan_and_begin, remove_from_sources
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs import erase as job
from spark_assets.jobs.command import Command, Kind
from spark_assets.jobs.interruptible import run_interruptibly
from spark_assets.jobs.working import working_on
from spark_assets.output.output import Output
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import parse_location

_ON_CLUSTER, _SERVERLESS = "--on-cluster", "--serverless"
_PLACES = {_ON_CLUSTER: "the cluster", _SERVERLESS: "EMR Serverless"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the job, and where it runs."""
    job.add_arguments(parser, output_required=False)
    add_environment(parser)
    where = parser.add_mutually_exclusive_group()
    for option, name in _PLACES.items():
        where.add_argument(
            option,
            dest="in_aws",
            action="store_const",
            const=option,
            help=f"erase in the deployed output: {name} rewrites the tables and refits the PCA, "
            "this machine deletes photographs and old versions",
        )
    add_interval(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Erase in the output of the command line, or in the deployed one."""
    try:
        return _run(parsed)
    except KeyboardInterrupt:
        if parsed.in_aws is None:
            raise
        echo(f"interrupted; what has begun is finished with: fruits erase {parsed.in_aws} --finish")
        return ExitCode.INTERRUPTED


def _run(parsed: argparse.Namespace) -> ExitCode:
    environment: Environment = parsed.environment
    option: str | None = parsed.in_aws
    if parsed.output is not None:
        if option is not None:
            raise FruitsError(f"{option} works on the deployed output; leave --output out")
        in_s3 = parse_location(parsed.output).s3 is not None
        return _here(parsed, _outside_reach(environment) if in_s3 else ())
    if option is not None and (parsed.allow_again or parsed.rewrite_only):
        raise FruitsError(f"{option} erases; leave it out with --allow-again or --rewrite-only")
    # Every place of the deployment is there, whatever region the profile prefers.
    os.environ["AWS_REGION"] = REGION
    outside_reach = _outside_reach(environment)
    parsed.output = data_stack(environment).output.uri
    if option is None:
        return _here(parsed, outside_reach)
    return _in_aws(parsed, outside_reach, _rewriting(option, parsed))


def _here(parsed: argparse.Namespace, outside_reach: Sequence[str]) -> ExitCode:
    return run_interruptibly(lambda: job.run(parsed, outside_reach=outside_reach))


def _in_aws(
    parsed: argparse.Namespace, outside_reach: Sequence[str], rewrite: Callable[[], ExitCode]
) -> ExitCode:
    """Begin here, rewrite there, and conclude here, where the rights are.

    The lease is held for each part: a run that comes in between goes on with the erasure first.
    """
    options = job.options_of(parsed, outside_reach)
    with working_on(options.output, job.PURPOSE, parsed):
        output = Output.open(options.output)
        plan_and_begin(options, output)
        if options.is_dry_run:
            return ExitCode.DONE
        removals = remove_from_sources(output)
    if (code := rewrite()) is not ExitCode.DONE:
        return code
    with working_on(options.output, job.PURPOSE, parsed):
        return conclude_all(options, Output.open(options.output), removals)


def _rewriting(option: str, parsed: argparse.Namespace) -> Callable[[], ExitCode]:
    """Return what rewrites the tables in AWS.  Raises FruitsError where its stack is not there."""
    if option == _SERVERLESS:
        serverless = serverless_stack(parsed.environment)
        return lambda: run_erasure_job(serverless, interval_s=parsed.interval_seconds)
    stack = compute_stack(parsed.environment)

    def on_cluster() -> ExitCode:
        step_id = submit_erasure(aws_client("emr"), aws_client("ssm"), stack, parsed.environment)
        return follow_steps(
            stack, [step_id], Following(parsed.environment, parsed.interval_seconds)
        )

    return on_cluster


def _outside_reach(environment: Environment) -> tuple[str, ...]:
    kept = read_config([f"environment={environment}"]).kept
    return (
        f"paths in logs of steps and accesses, which are permanently deleted after "
        f"{kept.days_until_logs_are_deleted} days",
        "pictures in notebooks executed on the cluster, which are permanently deleted after "
        f"{NOTEBOOK_DAYS + 1} days",
        "what EMR keeps of its own logs in buckets of AWS",
    )


COMMAND = Command(add_arguments, run, Kind.CLOUD)
