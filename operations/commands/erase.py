"""The erase command: what the erase job does, and in AWS with the tables done by the cluster."""

import argparse
import os
from collections.abc import Sequence

from cdk_app.config import REGION, Environment
from operations.aws.clients import aws_client
from operations.aws.failures import aws_failures
from operations.aws.stacks import compute_stack, data_stack
from operations.aws.steps import submit_erasure
from operations.cdk.context import read_config
from operations.commands.arguments import add_environment, add_interval
from operations.commands.status import follow_steps
from spark_assets.erasure.run import begin_or_plan, conclude_all, remove_from_sources
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs import erase as job
from spark_assets.jobs.working import working_on
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the job, and where it runs."""
    job.add_arguments(parser, output_required=False)
    add_environment(parser)
    # What says how an interruption is told is not there without it: see `cli.main`.
    parser.add_argument(
        "--on-cluster",
        dest="interrupted",
        action="store_const",
        const="interrupted; what has begun is finished with: fruits erase --on-cluster --finish",
        default=argparse.SUPPRESS,
        help="of the deployed output: the cluster rewrites the tables and fits the PCA, and this "
        "machine removes photographs and old versions",
    )
    add_interval(parser)
    parser.set_defaults(no_follow=False)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Erase in the output that was given, or in the deployed one."""
    with aws_failures():
        return _run(parsed)


def _run(parsed: argparse.Namespace) -> ExitCode:
    environment: Environment = parsed.environment
    on_cluster = "interrupted" in parsed
    if parsed.output is not None:
        if on_cluster:
            raise FruitsError("--on-cluster works on the deployed output; leave --output out")
        in_s3 = parse_location(parsed.output).s3 is not None
        return job.run(parsed, outside_reach=_outside_reach(environment) if in_s3 else ())
    if on_cluster and (parsed.allow_again or parsed.rewrite_only):
        raise FruitsError("--on-cluster erases; leave it out with --allow-again or --rewrite-only")
    # Every place of the deployment is there, whatever region the profile prefers.
    os.environ["AWS_REGION"] = REGION
    outside_reach = _outside_reach(environment)
    parsed.output = data_stack(environment).output.uri
    if on_cluster:
        return _on_cluster(parsed, outside_reach)
    return job.run(parsed, outside_reach=outside_reach)


def _on_cluster(parsed: argparse.Namespace, outside_reach: Sequence[str]) -> ExitCode:
    """Begin here, rewrite on the cluster, and conclude here, where the rights are.

    The lease is held for each part: a run that comes in between goes on with the erasure first.
    """
    options = job.options_of(parsed, outside_reach)
    stack = compute_stack(parsed.environment)
    with working_on(options.output, job.PURPOSE, parsed):
        output = Output.open(options.output)
        begin_or_plan(options, output)
        if options.is_dry_run:
            return ExitCode.DONE
        removals = remove_from_sources(output)
    step_id = submit_erasure(aws_client("emr"), aws_client("ssm"), stack, parsed.environment)
    code = follow_steps(stack, [step_id], parsed)
    if code is not ExitCode.DONE:
        return code
    with working_on(options.output, job.PURPOSE, parsed):
        return conclude_all(options, Output.open(options.output), removals)


def _outside_reach(environment: Environment) -> tuple[str, ...]:
    kept = read_config([f"environment={environment}"]).kept
    return (
        f"paths in logs of steps and accesses, which are gone for good after "
        f"{kept.logs_gone_after} days",
        "what EMR keeps of its own logs in buckets of AWS",
    )
