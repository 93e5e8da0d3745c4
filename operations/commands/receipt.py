"""The receipt command: what the cluster has cost, added up from the times of its nodes."""

import argparse
from datetime import UTC, datetime

from operations.aws.clients import aws_client
from operations.aws.nodes import read_cluster
from operations.aws.stacks import compute_stack, data_stack
from operations.commands.arguments import add_cloud
from operations.costs.prices import load_prices
from operations.costs.receipt_text import receipt_text
from operations.costs.receipts import FinishedRun, make_receipt
from operations.costs.speed import load_speed
from spark_assets.errors import ExitCode
from spark_assets.output.manifest import RunManifest, read_run, run_ids
from spark_assets.output.output import Output
from spark_assets.output.receipts import write_receipt
from spark_assets.runtime.progress import say


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command."""
    parser.add_argument(
        "--cluster-id", metavar="ID", help="another cluster than that of the stack, ended or not"
    )
    add_cloud(parser, interrupted="interrupted; the same command makes the receipt")


def run(parsed: argparse.Namespace) -> ExitCode:
    """Add up, print and keep the receipt."""
    output = Output.open(data_stack(parsed.environment).output)
    cluster_id = parsed.cluster_id or compute_stack(parsed.environment).cluster_id
    receipt = make_receipt(
        read_cluster(aws_client("emr"), cluster_id),
        [_finished(run) for run_id in run_ids(output) if (run := read_run(output, run_id))],
        load_prices(),
        load_speed(),
        now=datetime.now(UTC),
    )
    print(receipt_text(receipt))
    say(f"receipt: {write_receipt(output, receipt).uri}")
    return ExitCode.DONE


def _finished(manifest: RunManifest) -> FinishedRun:
    return FinishedRun(
        datetime.fromisoformat(manifest.started_at), manifest.counts.n_images, manifest.bytes_read
    )
