"""The erase command: what the erase job does, and in AWS with the tables done by the cluster."""

import argparse
from collections.abc import Sequence

from cdk_app.config import Environment
from cdk_app.retention import Retention
from operations.aws.clients import aws_client
from operations.aws.stacks import DataStack, compute_stack, data_stack
from operations.aws.steps import submit_erasure
from operations.cdk.context import read_config
from operations.commands.arguments import add_environment, add_interval
from operations.commands.status import follow_steps
from spark_assets.erasure.run import begin_or_plan, conclude_all, remove_from_sources
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs import erase as job
from spark_assets.jobs.working import working_on
from spark_assets.output.layout import OutputLayout


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the job, and where it runs."""
    job.add_arguments(parser, output_required=False)
    add_environment(parser)
    parser.add_argument(
        "--on-cluster",
        action="store_true",
        help="of the deployed output: the cluster rewrites the tables and fits the PCA, and this "
        "machine removes photographs and old versions",
    )
    add_interval(parser)
    parser.set_defaults(no_follow=False)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Erase in the output that was given, or in the deployed one."""
    environment: Environment = parsed.environment
    outside_reach = _outside_reach(read_config([f"environment={environment}"]).kept)
    if parsed.output is not None:
        if parsed.on_cluster:
            raise FruitsError("--on-cluster works on the deployed output; leave --output out")
        in_s3 = parsed.output.startswith(("s3://", "s3a://"))
        return job.run(parsed, outside_reach=outside_reach if in_s3 else ())
    data = data_stack(environment)
    parsed.output = data.output.uri
    if parsed.on_cluster:
        return _on_cluster(parsed, data, outside_reach)
    return job.run(parsed, outside_reach=outside_reach)


def _on_cluster(
    parsed: argparse.Namespace, data: DataStack, outside_reach: Sequence[str]
) -> ExitCode:
    """Begin here, rewrite on the cluster, and conclude here, where the rights are.

    The lease is held for each part: a run that comes in between goes on with the erasure first.
    """
    options = job.options_of(parsed, outside_reach)
    layout = OutputLayout(options.output)
    stack = compute_stack(parsed.environment)
    with working_on(data.output, job.PURPOSE, parsed):
        begin_or_plan(options, layout)
        if options.is_dry_run:
            return ExitCode.DONE
        removals = remove_from_sources(layout)
    step_id = submit_erasure(aws_client("emr"), aws_client("ssm"), stack, parsed.environment)
    code = follow_steps(stack, [step_id], parsed)
    if code is not ExitCode.DONE:
        return code
    with working_on(data.output, job.PURPOSE, parsed):
        return conclude_all(options, layout, removals)


def _outside_reach(kept: Retention) -> tuple[str, ...]:
    return (
        f"paths in logs of steps and accesses, which are gone for good after "
        f"{kept.logs_gone_after} days",
        "what EMR keeps of its own logs in buckets of AWS",
    )
