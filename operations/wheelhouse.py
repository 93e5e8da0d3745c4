"""The wheelhouse: all that a node installs, in one file, because it has no Internet.

``fruits build-artifacts`` makes it.  It holds ``requirements.txt``, the wheels that it pins, and
``modules.txt``: the modules that `bootstrap.sh` imports to know that the node is ready.
"""

import gzip
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from operations.shared_libraries import check_wheels
from spark_assets.errors import FruitsError

# EMR's names for architectures to those of wheels.
MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}

_NODE = Path(__file__).resolve().parents[1] / "spark_assets" / "node"
REQUIREMENTS = _NODE / "requirements.txt"
MODULES = _NODE / "modules.txt"

_PYTHON = "3.11"
# The C library of Amazon Linux 2023 is glibc 2.34, and a wheel names the oldest that it runs on.
_GLIBC_MINORS = range(34, 16, -1)


def pip_download(requirements: Path, architecture: str, folder: Path) -> list[str]:
    """Return the command that fetches the wheels for the node, whatever machine runs it."""
    machine = MACHINES[architecture]
    platforms = [f"manylinux_2_{minor}_{machine}" for minor in _GLIBC_MINORS]
    return [
        *(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"),
        *("--only-binary=:all:", "--require-hashes"),
        # The pins are complete, and pip would read the markers of this machine, not the node's.
        "--no-deps",
        *("--python-version", _PYTHON, "--implementation", "cp"),
        *("--abi", f"cp{_PYTHON.replace('.', '')}"),
        *(f"--platform={name}" for name in (*platforms, f"manylinux2014_{machine}")),
        *("--dest", str(folder), "--requirement", str(requirements)),
    ]


def pack(wheels: Path, requirements: Path, modules: Path, target: Path) -> None:
    """Write the wheelhouse, whole or not at all; equal input gives equal bytes."""
    members = {requirements.name: requirements, modules.name: modules}
    members |= {f"wheels/{path.name}": path for path in wheels.glob("*.whl")}
    with new_archive(target) as add:
        for name, path in sorted(members.items()):
            with path.open("rb") as content:
                add(name, content, path.stat().st_size)


@contextmanager
def new_archive(target: Path) -> Iterator[Callable[[str, IO[bytes], int], None]]:
    """Write a ``tar.gz``, whole or not at all: give what adds a file of a name, content and size.

    The same files in the same order give the same bytes.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial")
    with (
        partial.open("wb") as raw,
        # Most of it is compressed already, or hardly can be: a higher level takes longer and gains
        # little.
        gzip.GzipFile("", "wb", compresslevel=1, fileobj=raw, mtime=0) as stream,
        tarfile.open(fileobj=stream, mode="w") as archive,
    ):

        def add(name: str, content: IO[bytes], size: int) -> None:
            member = tarfile.TarInfo(name)  # its owner is 0:0, its mode 644 and its time 0
            member.size = size
            archive.addfile(member, content)

        yield add
    os.replace(partial, target)


def make_wheelhouse(architecture: str, target: Path) -> None:
    """Download what the node needs and pack it.

    Raises FruitsError where a wheel cannot be had, and where a node could not load its libraries.
    """
    with tempfile.TemporaryDirectory() as folder:
        if subprocess.run(pip_download(REQUIREMENTS, architecture, Path(folder))).returncode:
            raise FruitsError(
                f"pip could not download the wheels of {REQUIREMENTS.name} for {architecture}; "
                "its own message is above, and where a wheel does not exist for Python "
                f"{_PYTHON} another version must be pinned with: make lock"
            )
        check_wheels(sorted(Path(folder).glob("*.whl")), architecture)
        pack(Path(folder), REQUIREMENTS, MODULES, target)
