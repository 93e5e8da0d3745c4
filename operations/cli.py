"""The command ``fruits``: every job, and what an operator does."""

import argparse
import gc
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING

from operations.commands.table import COMMANDS
from spark_assets import __version__
from spark_assets.errors import ExitCode
from spark_assets.runtime.process_environment import isolate_process
from spark_assets.runtime.signals import exit_at_closed_pipe

if TYPE_CHECKING:
    from spark_assets.jobs.command import Command


def parse(argv: Sequence[str]) -> tuple["Command", argparse.Namespace]:
    """Parse a command line; return the command and its options."""
    parser = argparse.ArgumentParser(
        prog="fruits",
        description="Feature vectors and principal components of fruit photographs, on Spark.",
    )
    parser.add_argument("--version", action="version", version=f"fruits {__version__}")
    parsers = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    name = next((word for word in argv if not word.startswith("-")), None)
    command: Command | None = None
    for each, entry in COMMANDS.items():
        subparser = parsers.add_parser(each, help=entry.help, description=entry.help)
        if each == name:
            command = import_module(entry.module).COMMAND
            command.add_options(subparser)
    parsed = parser.parse_args(argv)
    assert command is not None  # without one, argparse has ended the program
    return command, parsed


@exit_at_closed_pipe()
def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    isolate_process()
    if not _in_a_folder():
        print("fruits: the working folder no longer exists; go to one that does", file=sys.stderr)
        return int(ExitCode.FAILED)
    try:
        command, parsed = parse(sys.argv[1:] if argv is None else argv)
        return _execute(command, parsed)
    except KeyboardInterrupt:  # while libraries are loaded
        print("interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    finally:
        # Else Python visits all objects once more at its end: 5 ms of the 49 of `fruits --version`,
        # 105 ms of the 1,190 of `fruits reduce --help` (CPU, least of 20 runs each).
        gc.freeze()


def _in_a_folder() -> bool:
    """Return whether the working folder still exists: neither paths nor the JVM work without."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return False
    return True


def _execute(command: "Command", parsed: argparse.Namespace) -> int:
    from spark_assets.jobs.command import Kind

    if command.kind is not Kind.CLOUD:
        return command.execute(parsed)
    from operations.aws.aws_errors import convert_aws_errors

    return command.execute(parsed, expecting=convert_aws_errors())


if __name__ == "__main__":
    sys.exit(main())
