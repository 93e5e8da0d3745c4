"""A command of fruits that dies: ``python tests/end_to_end/killed.py PATTERN COMMAND``.

It kills itself with SIGKILL right before it moves a file to a place that fits the pattern, or
removes one there: Python tells audit hooks of that first, whoever does it.
"""

import os
import signal
import sys
from fnmatch import fnmatch

# Which argument names the place.
_PLACES = {"os.rename": 1, "os.remove": 0}


def main(pattern: str, command: list[str]) -> int:
    """Run a command until it dies; return the exit code of one that comes to its end."""

    def hear(event: str, arguments: tuple[object, ...]) -> None:
        if event in _PLACES and fnmatch(str(arguments[_PLACES[event]]), pattern):
            os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hear)
    from operations import cli

    return cli.main(command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
