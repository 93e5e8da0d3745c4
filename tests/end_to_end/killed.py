"""A command of fruits that is killed at a moment: ``python -m tests.end_to_end.killed N COMMAND``.

Moments are counted: there is one before and one after each small file that is written or removed,
and one before, within and after each table that Spark writes.  The process kills itself with
SIGKILL at the one that is asked for; with none, it prints how many there were.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from pyspark.sql.readwriter import DataFrameWriter

from spark_assets import files

_SMALL = ("write_bytes", "delete_folder", "delete_file", "replace_file")
_WITHIN_S = 0.15


class Moments:
    """Counts moments, and kills at one of them."""

    def __init__(self, fatal: int) -> None:
        self.n = 0
        self._fatal = fatal

    def pass_one(self) -> None:
        self.n += 1
        if self.n == self._fatal:
            _kill()

    def is_next(self) -> bool:
        return self.n + 1 == self._fatal

    def around(self, function: Callable[..., Any], *, in_spark: bool) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self.pass_one()
            if in_spark:
                if self.is_next():
                    threading.Timer(_WITHIN_S, _kill).start()
                self.n += 1
            result = function(*arguments, **options)
            self.pass_one()
            return result

        return counted


def _kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def main(fatal: int, command: list[str]) -> int:
    """Run a command, unless it is killed before its end; return its exit code."""
    moments = Moments(fatal)
    for name in _SMALL:  # before anything has taken them by name
        setattr(files, name, moments.around(getattr(files, name), in_spark=False))
    DataFrameWriter.parquet = moments.around(DataFrameWriter.parquet, in_spark=True)
    from operations import cli

    code = cli.main(command)
    print(moments.n)
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
