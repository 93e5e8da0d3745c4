"""A command of fruits that is killed at a moment: ``python -m tests.end_to_end.killed N COMMAND``.

Moments are counted: there is one before and one after each file or folder that the driver writes or
removes, and one before, within and after what Spark does: a table that it writes, and the looking
at images, whose tasks write files too.  The process kills itself with SIGKILL at the one that is
asked for; with none, it prints how many there were, and which of them were within.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

import pyarrow.parquet
from pyspark.sql.readwriter import DataFrameWriter

from spark_assets.storage import files

_OF_FILES = ("write_bytes", "replace_file", "make_folder", "delete_folder", "delete_file")
_WITHIN_S = 0.15


class Moments:
    """Counts moments, and kills at one of them."""

    def __init__(self, fatal: int) -> None:
        self.n = 0
        self.within: list[int] = []
        self._fatal = fatal
        self._process = os.getpid()

    def _pass_one(self, kill: Callable[[], None]) -> None:
        if os.getpid() != self._process:
            return  # a worker, to which a function came that is counted
        self.n += 1
        if self.n == self._fatal:
            kill()

    def count(self, holder: Any, name: str, *, in_spark: bool = False) -> None:
        """Count the calls of a function from now on, wherever it is taken from its holder."""
        setattr(holder, name, self._around(getattr(holder, name), in_spark=in_spark))

    def _around(self, function: Callable[..., Any], *, in_spark: bool) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._pass_one(_kill)
            if in_spark:
                self._pass_one(_kill_soon)
                self.within.append(self.n)
            result = function(*arguments, **options)
            self._pass_one(_kill)
            return result

        return counted


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _kill_soon() -> None:
    threading.Timer(_WITHIN_S, _kill).start()


def main(fatal: int, command: list[str]) -> int:
    """Run a command, unless it is killed before its end; return its exit code."""
    moments = Moments(fatal)
    for name in _OF_FILES:  # before anything has taken them by name
        moments.count(files, name)
    moments.count(pyarrow.parquet, "write_table")
    moments.count(DataFrameWriter, "parquet", in_spark=True)
    from spark_assets.features import on_spark

    moments.count(on_spark, "featurize_on_spark", in_spark=True)
    from operations import cli

    code = cli.main(command)
    print(moments.n, *moments.within)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
