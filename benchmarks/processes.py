"""Programs that are measured in a process of their own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from spark_assets.errors import FruitsError

# Python finds this package from here, wherever the benchmarks were started.
PROJECT = Path(__file__).resolve().parents[1]


def run_module(
    module: str, arguments: Sequence[str], *, environment: Mapping[str, str] | None = None
) -> Any:  # noqa: ANN401 - whatever the module prints as JSON
    """Run a module of this package as a program; return the JSON that it prints.

    Raises FruitsError with its last words where it fails.
    """
    return json.loads(
        run_program(
            [sys.executable, "-m", f"benchmarks.{module}", *arguments], environment=environment
        )
    )


def run_program(command: Sequence[str], *, environment: Mapping[str, str] | None = None) -> str:
    """Run a program to its end; return what it wrote on standard output.

    Raises FruitsError with its last words where it fails.
    """
    finished = subprocess.run(
        command,
        cwd=PROJECT,
        env={**os.environ, **(environment or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        name = " ".join([Path(command[0]).name, *command[1:3]])
        raise FruitsError(
            f"{name} ended with exit code {finished.returncode}: {last_words(finished.stderr)}"
        )
    return finished.stdout


def last_words(text: str, *, n_lines: int = 3) -> str:
    """Return the last lines of a log as one."""
    return " / ".join(text.strip().splitlines()[-n_lines:]) or "no message"
