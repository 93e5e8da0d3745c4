"""The service in a process of its own, as ``fruits serve`` starts it, with its memory watched."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

# Under load a start takes several seconds.
_START_SECONDS = 120
_WATCH_SECONDS = 0.01


@dataclass
class Served:
    """A running service."""

    process: psutil.Process
    url: str
    most_bytes: int = 0
    said: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rstrip("/").rpartition(":")[2])

    def identify(self, content: bytes, **headers: str) -> tuple[int, Any]:
        """Ask what is on a photograph; return the status, and the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request("POST", "/identify", content, headers)
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()

    def now_bytes(self) -> int:
        """Return what the service and its processes hold in memory."""
        held = 0
        for process in [self.process, *self.process.children(recursive=True)]:
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return held


@contextmanager
def serving(command: Sequence[str], *, end: int = signal.SIGINT) -> Iterator[Served]:
    """Start a service, wait for its address, and end it as Ctrl+C or a manager does."""
    started = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    killer = threading.Timer(_START_SECONDS, started.kill)
    killer.start()
    assert started.stdout is not None
    assert started.stderr is not None
    url = started.stdout.readline().strip()
    killer.cancel()
    assert url.startswith("http://"), started.stderr.read()
    served = Served(psutil.Process(started.pid), url)
    ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(served, ended))
    watcher.start()
    try:
        yield served
    finally:
        ended.set()
        watcher.join()
        workers = served.process.children(recursive=True)
        started.send_signal(end)
        out, err = started.communicate(timeout=60)
        served.said = [*out.splitlines(), *err.splitlines()]
    assert started.returncode == 0, served.said
    assert psutil.wait_procs(workers, timeout=30)[1] == []


def _watch(served: Served, ended: threading.Event) -> None:
    while not ended.wait(_WATCH_SECONDS):
        served.most_bytes = max(served.most_bytes, served.now_bytes())


def some(folder: Path, label: str, n: int = 1) -> list[Path]:
    """Return photographs of a label."""
    return sorted((folder / label).iterdir())[:n]
