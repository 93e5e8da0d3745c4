"""From a fresh clone and an empty home to the first report, beside the installation alone."""

import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.figures import Figure, at_most
from benchmarks.processes import PROJECT, run_program
from benchmarks.workbench import Workbench, each, echo

# What a network and a disk take is not ours; what is made of it is: bytecode, the archive of
# Spark's classes, the network, a run.
FACTOR = 1.6
TARGET = at_most(35, "s")

# They lead to what others have downloaded or made, or belong to the make that started this.
_LEFT_OUT = (
    "UV_CACHE_DIR", "PIP_CACHE_DIR", "XDG_CACHE_HOME", "FRUITS_CACHE", "VIRTUAL_ENV",
    "MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES",
)  # fmt: skip


def measure(bench: Workbench) -> list[Figure]:
    """Time `make run` as a newcomer types it, and in the same sitting what it installs.

    Both download everything.  What is not committed is not in the clone.
    """
    alone, whole = [], []
    for number in range(bench.sizes.rounds):
        echo(f"the first minute, round {number}: uv pip install, then make run")
        with _folder(bench, "alone") as folder:
            alone.append(_install(folder))
        with _folder(bench, "clone") as folder:
            whole.append(_make_run(folder))
    return [first_minute(alone, whole)]


def first_minute(alone: Sequence[float], whole: Sequence[float]) -> Figure:
    """Return the figure of some rounds, in seconds: the best of the one and of the other.

    Round by round, the one with the slowest download would look best.
    """
    return Figure(
        f"`make run` in a fresh clone with an empty home, less {FACTOR:g} times `uv pip install` "
        "of the same packages",
        TARGET,
        min(whole) - FACTOR * min(alone),
        f"`make run` {each(list(whole), 's')}, the installation alone {each(list(alone), 's')}; "
        "each downloads everything",
    )


def newcomer(environment: Mapping[str, str], home: Path) -> dict[str, str]:
    """Return the environment of somebody who has only just come: nothing is kept anywhere."""
    kept = {name: value for name, value in environment.items() if name not in _LEFT_OUT}
    path = kept.get("PATH", os.defpath).split(os.pathsep)
    ours = [folder for folder in path if Path(folder).is_relative_to(PROJECT)]
    return kept | {
        "HOME": str(home),
        "PATH": os.pathsep.join(folder for folder in path if folder not in ours),
    }


@contextmanager
def _folder(bench: Workbench, name: str) -> Iterator[Path]:
    """Give an empty folder with an empty home in it, and remove both, which are gigabytes."""
    folder = bench.runs / "first-minute" / name
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "home").mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def _install(folder: Path) -> float:
    uv = str(Path(sys.executable).with_name("uv"))
    run_program([uv, "venv", "--quiet", "--python", _python(), str(folder / "venv")])
    pinned = ["--require-hashes", "-c", "requirements.txt", "-r", "pyproject.toml"]
    into = ["--python", str(folder / "venv")]
    return _timed([uv, "pip", "install", "--quiet", *into, *pinned], folder / "home")


def _make_run(folder: Path) -> float:
    clone = folder / "fruits"
    run_program(["git", "clone", "--quiet", str(PROJECT), str(clone)])
    return _timed(["make", "-C", str(clone), "run", f"PYTHON={_python()}"], folder / "home")


def _timed(command: Sequence[str], home: Path) -> float:
    environment = newcomer(os.environ, home)
    started = time.monotonic()
    run_program(
        ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), *command]
    )
    return time.monotonic() - started


def _python() -> str:
    """Return the Python that made the one that runs this, as a newcomer has it."""
    return str(Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}")
