"""A command: its options, the function that runs it, and what happens at an error and at Ctrl-C."""

import argparse
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from spark_assets.errors import ExitCode
from spark_assets.jobs.error_reports import EXPECTED_ERRORS, report_failure
from spark_assets.runtime.progress import echo
from spark_assets.runtime.signals import exit_at_closed_pipe


class Kind(Enum):
    """What a command works with, which decides how it is interrupted and which errors it has."""

    LOCAL = auto()  # this machine: Ctrl-C ends a wait at once
    SPARK = auto()  # Spark where there are many images: Ctrl-C cancels its jobs
    CLOUD = auto()  # AWS, where work may go on after Ctrl-C


@dataclass(frozen=True, slots=True)
class Command:
    """A command of ``fruits``, or an entry script of spark-submit.

    ``on_interrupt`` is the sentence for Ctrl-C; a command on Spark has its own.
    """

    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], ExitCode]
    kind: Kind
    on_interrupt: str = "interrupted"

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command, and those of all commands."""
        self.add_arguments(parser)
        parser.add_argument("--verbose", action="store_true", help="stack traces, and Spark's log")

    def execute(
        self, parsed: argparse.Namespace, *, expecting: AbstractContextManager[None] | None = None
    ) -> int:
        """Run the command and return its exit code; report an expected error in one sentence.

        ``expecting`` raises further errors as expected ones.
        """
        try:
            if self.kind is Kind.SPARK:
                # It imports pyspark, for 0.3 s that the other kinds do without.
                from spark_assets.jobs.interruptible import run_interruptibly

                return int(run_interruptibly(lambda: self.run(parsed)))
            with expecting or nullcontext():
                return int(self.run(parsed))
        except KeyboardInterrupt:
            echo(self.on_interrupt)
            return int(ExitCode.INTERRUPTED)
        except EXPECTED_ERRORS as error:
            return report_failure(error, verbose=parsed.verbose)

    @exit_at_closed_pipe()
    def main(self, argv: Sequence[str] | None = None) -> int:
        """Parse the options of an entry script, run it, and return the exit code."""
        module = sys.modules[self.run.__module__]
        parser = argparse.ArgumentParser(
            prog=Path(str(module.__file__)).stem, description=module.__doc__
        )
        self.add_options(parser)
        return self.execute(parser.parse_args(argv))
