"""The receipt command: what the cluster, or a run on EMR Serverless, has cost."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from operations.aws.clients import aws_client
from operations.aws.cluster_nodes import read_cluster
from operations.aws.executions import execution_periods
from operations.aws.max_cost import read_capacity
from operations.aws.stacks import (
    compute_stack,
    data_stack,
    find_serverless_stack,
    serverless_stack,
)
from operations.commands.cloud_arguments import add_environment
from operations.commands.serverless_runs import add_serverless, billed_run
from operations.costs.receipt_costs import FinishedRun, cluster_receipt, serverless_receipt
from operations.costs.receipt_text import receipt_text
from spark_assets.errors import ExitCode
from spark_assets.jobs.command import Command, Kind
from spark_assets.output.cost_receipt import Receipt
from spark_assets.output.manifest import RunManifest, read_run, run_ids
from spark_assets.output.output import Output
from spark_assets.output.receipt_files import write_receipt
from spark_assets.runtime.progress import echo


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    of = parser.add_mutually_exclusive_group()
    of.add_argument(
        "--cluster-id", metavar="ID", help="another cluster than that of the stack, ended or not"
    )
    add_serverless(of, help_text="of the newest run on EMR Serverless")
    add_environment(parser)


def run(parsed: argparse.Namespace) -> ExitCode:
    """Add up, print and keep the receipt."""
    output = Output.open(data_stack(parsed.environment).output)
    runs = [_finished(run) for run_id in run_ids(output) if (run := read_run(output, run_id))]
    receipt = (_of_serverless if parsed.serverless else _of_cluster)(parsed, runs)
    print(receipt_text(receipt))
    echo(f"receipt: {write_receipt(output, receipt).uri}")
    return ExitCode.DONE


def _of_cluster(parsed: argparse.Namespace, runs: Sequence[FinishedRun]) -> Receipt:
    cluster_id = parsed.cluster_id or compute_stack(parsed.environment).cluster_id
    cluster = read_cluster(aws_client("emr"), cluster_id)
    serverless = find_serverless_stack(parsed.environment)
    periods = (
        execution_periods(
            aws_client("stepfunctions"), serverless.state_machine_arn, cluster.created_at
        )
        if serverless
        else ()
    )
    return cluster_receipt(cluster, runs, now=datetime.now(UTC), serverless_periods=periods)


def _of_serverless(parsed: argparse.Namespace, runs: Sequence[FinishedRun]) -> Receipt:
    record = billed_run(parsed.environment)
    application_id = serverless_stack(parsed.environment).application_id
    capacity = read_capacity(aws_client("emr-serverless"), application_id)
    return serverless_receipt(record, runs, capacity, now=datetime.now(UTC))


def _finished(manifest: RunManifest) -> FinishedRun:
    return FinishedRun(
        datetime.fromisoformat(manifest.started_at), manifest.counts.n_images, manifest.bytes_read
    )


COMMAND = Command(add_arguments, run, Kind.CLOUD, "interrupted; the same command makes the receipt")
