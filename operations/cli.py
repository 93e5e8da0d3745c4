"""The command ``fruits``: every job, and what prepares for them."""

import argparse
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from spark_assets import __version__
from spark_assets.errors import ExitCode
from spark_assets.runtime.process_environment import isolate_process
from spark_assets.runtime.signals import silent_at_closed_pipe

# Each in a module of its own, of which only the one that is asked for is imported: Spark's and
# AWS' libraries take longer to load than most commands to work.
_COMMANDS = {
    "run": ("spark_assets.jobs.pipeline", "featurize, reduce and report"),
    "featurize": ("spark_assets.jobs.featurize", "photographs to features"),
    "reduce": ("spark_assets.jobs.reduce", "features to principal components"),
    "report": ("spark_assets.jobs.report", "a page about what an output holds"),
    "evaluate": (
        "recognition.commands.evaluate",
        "what the features are worth: accuracy, and a classifier on them",
    ),
    "identify": ("recognition.commands.identify", "the name of the fruit on photographs"),
    "audit": ("recognition.commands.audit", "what to look at in the photographs of an output"),
    "serve": ("recognition.commands.serve", "a page that names the fruit on photographs"),
    "erase": ("operations.commands.erase", "photographs, and all that an output holds of them"),
    "vacuum": ("spark_assets.jobs.vacuum", "what commands that died have left in an output"),
    "export-model": ("operations.commands.export_model", "a network that workers can load"),
    "export-classifier": (
        "recognition.commands.export_classifier",
        "the classifier as a folder that a phone can carry",
    ),
    "sample": ("operations.commands.sample", "draw sample photographs"),
    "cost": ("operations.commands.cost", "what a run would cost on clusters of several sizes"),
    "upload": ("operations.commands.upload", "photographs from a local folder to AWS"),
    "submit": (
        "operations.commands.submit",
        "run the chain once more on the cluster in AWS, or a notebook",
    ),
    "status": ("operations.commands.status", "follow the chain on the cluster in AWS to its end"),
    "link": ("operations.commands.link", "an expiring link to the report of the output in AWS"),
    "receipt": (
        "operations.commands.receipt",
        "what the cluster in AWS has cost, beside the estimate",
    ),
    "retention": (
        "operations.commands.retention",
        "how long photographs, results and logs are kept",
    ),
    "empty": ("operations.commands.empty", "delete all that the buckets in AWS hold"),
}


def parse(
    argv: Sequence[str],
) -> tuple[Callable[[argparse.Namespace], ExitCode], argparse.Namespace]:
    """Parse a command line; return what runs it, and its values."""
    parser = argparse.ArgumentParser(
        prog="fruits", description="From photographs of fruit to principal components, on Spark."
    )
    parser.add_argument("--version", action="version", version=f"fruits {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parsers = {
        name: commands.add_parser(name, help=purpose, description=purpose)
        for name, (_, purpose) in _COMMANDS.items()
    }
    job = None
    name = next((word for word in argv if not word.startswith("-")), None)
    if name in _COMMANDS:
        job = import_module(_COMMANDS[name][0])
        job.add_arguments(parsers[name])
    parsed = parser.parse_args(argv)
    assert job is not None  # without a command the line before has ended the program
    run: Callable[[argparse.Namespace], ExitCode] = job.run
    return run, parsed


@silent_at_closed_pipe()
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    isolate_process()
    if not _in_a_folder():
        print("fruits: the working folder no longer exists; go to one that does", file=sys.stderr)
        return int(ExitCode.FAILED)
    try:
        run, parsed = parse(sys.argv[1:] if argv is None else argv)
        return _run(run, parsed)
    except KeyboardInterrupt:  # while libraries are loaded
        print("interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    finally:
        # Otherwise Python visits every object of every library once more before it ends: 0.15 s.
        gc.freeze()


def _in_a_folder() -> bool:
    """Return whether the working folder still exists: neither paths nor the JVM work without."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _run(run: Callable[[argparse.Namespace], ExitCode], parsed: argparse.Namespace) -> int:
    if "without_spark" in parsed:  # the commands that answer in a second
        from spark_assets.jobs.plain_entry import run_plain_entry

        return run_plain_entry(lambda: run(parsed), verbose=parsed.verbose)
    from operations.commands.entry import run_cloud_entry
    from spark_assets.jobs.entry import run_entry

    if "interrupted" in parsed:  # the commands that work on AWS say what an interruption leaves
        return run_cloud_entry(
            lambda: run(parsed), verbose=parsed.verbose, interrupted=parsed.interrupted
        )
    return run_entry(lambda: run(parsed), verbose=parsed.verbose)


if __name__ == "__main__":
    sys.exit(main())
