"""The receipt command: what the cluster, or a run on EMR Serverless, has cost."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from operations.aws.clients import aws_client
from operations.aws.nodes import read_cluster
from operations.aws.stacks import compute_stack, data_stack
from operations.commands.arguments import add_cloud
from operations.commands.serverless import add_serverless, billed_run
from operations.costs.configured import default_capacity
from operations.costs.prices import load_prices
from operations.costs.receipt_text import receipt_text
from operations.costs.receipts import FinishedRun, make_receipt
from operations.costs.serverless_receipts import make_serverless_receipt
from operations.costs.speed import load_speed
from spark_assets.errors import ExitCode
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
    add_cloud(parser, interrupted="interrupted; the same command makes the receipt")


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
    return make_receipt(cluster, runs, load_prices(), load_speed(), now=datetime.now(UTC))


def _of_serverless(parsed: argparse.Namespace, runs: Sequence[FinishedRun]) -> Receipt:
    record = billed_run(parsed)
    return make_serverless_receipt(
        record, runs, default_capacity(), load_prices(), load_speed(), now=datetime.now(UTC)
    )


def _finished(manifest: RunManifest) -> FinishedRun:
    return FinishedRun(
        datetime.fromisoformat(manifest.started_at), manifest.counts.n_images, manifest.bytes_read
    )
