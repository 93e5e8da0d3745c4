"""The deploy command: the buckets, a cluster or EMR Serverless, and the steps."""

import argparse
from pathlib import Path

from cdk_app.config import PipelineConfig, StepsMode
from operations.cdk.run_cdk import check_cdk, run_cdk
from operations.commands.build_artifacts import build_artifacts
from operations.commands.cloud_arguments import add_cdk_options, add_stack, cdk_options, config_of
from operations.commands.follow_steps import Following
from operations.commands.preflight import preflight
from operations.commands.status import follow_newest_steps
from operations.commands.submit import submit_notebook, submit_steps
from operations.commands.upload import local_folder, upload
from operations.plan.deploy_plan import (
    after_deploy_serverless_text,
    after_deploy_text,
    deploy_serverless_text,
    deploy_text,
)
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.command import Command, Kind
from spark_assets.runtime.progress import echo

# The names of the stacks in the CDK app.
STACKS = {"data": "FruitsData", "compute": "FruitsCompute", "serverless": "FruitsServerless"}
# Without a change set it is faster; fruits diff shows the changes.
_DEPLOY = ("deploy", "--exclusively", "--method=direct", "--require-approval", "never")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    add_stack(parser, "compute", "serverless")
    parser.add_argument(
        "--images", metavar="FOLDER", help="local folder of photographs to upload first"
    )
    parser.add_argument(
        "--notebook", metavar="FILE", help="notebook to execute on the cluster after the steps"
    )
    add_cdk_options(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Check, deploy and upload; on a cluster, run the steps and the notebook."""
    options, config = cdk_options(parsed), config_of(parsed)
    _check(parsed)
    build_artifacts(config)
    is_cluster = parsed.stack == "compute"
    print((deploy_text if is_cluster else deploy_serverless_text)(config))
    preflight(config, parsed.stack, verbose=parsed.verbose)
    if code := run_cdk(*_DEPLOY, STACKS["data"], *options):
        return code
    if parsed.images is None:
        echo("no photographs uploaded (no --images); the steps read those in the bucket")
    elif code := upload(parsed.images, config.environment):
        return code
    if code := run_cdk(*_DEPLOY, STACKS[parsed.stack], *options):
        return code
    if is_cluster and (code := _run_steps(config, parsed.notebook)):
        return code
    print((after_deploy_text if is_cluster else after_deploy_serverless_text)(config))
    return ExitCode.DONE


def _check(parsed: argparse.Namespace) -> None:
    """Raise FruitsError for what would stop the deployment halfway."""
    check_cdk()
    if parsed.images is not None:
        local_folder(parsed.images)
    if parsed.notebook is None:
        return
    if parsed.stack != "compute":
        raise FruitsError("--notebook needs a cluster; leave --stack out")
    if not Path(parsed.notebook).is_file():
        raise FruitsError(f"there is no notebook {parsed.notebook!r}; give a file (.ipynb)")


def _run_steps(config: PipelineConfig, notebook: str | None) -> ExitCode:
    following = Following(config.environment)
    if config.steps is StepsMode.NONE:
        code = submit_steps(following, follow=True)
    else:  # they are in the stack of the cluster
        code = follow_newest_steps(following)
    if code is ExitCode.DONE and notebook is not None:
        return submit_notebook(notebook, following, follow=True)
    return code


COMMAND = Command(
    add_arguments,
    run,
    Kind.CLOUD,
    "interrupted; what has begun in AWS goes on, and the same command goes on from there",
)
