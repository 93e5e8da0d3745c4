"""An emulated AWS: moto's server in its own process, on loopback."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def moto_server(log: Path, *, module: str = "moto.server") -> Iterator[str]:
    """Run a server that logs to a file, and yield its address."""
    # The server logs every request, and would stop at a pipe that nobody reads.
    with open(log, "wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", "0"],
            stderr=file,
            stdout=subprocess.DEVNULL,
        )
    try:
        yield _address(server, log)
    finally:
        server.terminate()
        server.wait(30)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    pytest.fail(f"moto's server did not start: {log.read_text()}")
