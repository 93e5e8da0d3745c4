"""The command ``fruits``: every job, and what prepares for them."""

import argparse
import sys
from collections.abc import Callable, Sequence

from operations.commands import (
    cost,
    empty,
    erase,
    export_model,
    receipt,
    retention,
    sample,
    status,
    submit,
    upload,
)
from operations.commands.entry import run_cloud_entry
from spark_assets import __version__
from spark_assets.errors import ExitCode
from spark_assets.jobs import featurize, pipeline, reduce, report, vacuum
from spark_assets.jobs.entry import run_entry, silent_at_closed_pipe

_COMMANDS = {
    "run": (pipeline, "featurize, reduce and report"),
    "featurize": (featurize, "photographs to features"),
    "reduce": (reduce, "features to principal components"),
    "report": (report, "a page about what an output holds"),
    "erase": (erase, "photographs, and all that an output holds of them"),
    "vacuum": (vacuum, "what commands that died have left in an output"),
    "export-model": (export_model, "a network as files that workers can load"),
    "sample": (sample, "draw sample photographs"),
    "cost": (cost, "what a run would cost on clusters of several sizes"),
    "upload": (upload, "photographs from a local folder to AWS"),
    "submit": (submit, "run the chain once more on the cluster in AWS"),
    "status": (status, "follow the chain on the cluster in AWS to its end"),
    "receipt": (receipt, "what the cluster in AWS has cost, beside the estimate"),
    "retention": (retention, "how long photographs, results and logs are kept"),
    "empty": (empty, "delete all that the buckets in AWS hold"),
}


def parse(
    argv: Sequence[str] | None,
) -> tuple[Callable[[argparse.Namespace], ExitCode], argparse.Namespace]:
    """Parse a command line; return what runs it, and its values."""
    parser = argparse.ArgumentParser(
        prog="fruits", description="From photographs of fruit to principal components, on Spark."
    )
    parser.add_argument("--version", action="version", version=f"fruits {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, (job, purpose) in _COMMANDS.items():
        job.add_arguments(commands.add_parser(name, help=purpose, description=purpose))
    parsed = parser.parse_args(argv)
    return _COMMANDS[parsed.command][0].run, parsed


@silent_at_closed_pipe()
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    run, parsed = parse(argv)
    if "interrupted" in parsed:  # the commands that work on AWS say what an interruption leaves
        return run_cloud_entry(
            lambda: run(parsed), verbose=parsed.verbose, interrupted=parsed.interrupted
        )
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
