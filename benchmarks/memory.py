"""Peak resident memory of Spark's Python workers or of this process, as Linux accounts it."""

import os
import subprocess
import threading
from collections import defaultdict
from pathlib import Path

from spark_assets.errors import FruitsError

_PROC = Path("/proc")
# Spark's own, and the one of a local run.
_DAEMONS = (b"pyspark.daemon", b"spark_assets.jobs.worker_daemon")
_SECONDS_BETWEEN_SAMPLES = 0.5
_MIB_IN_KIB = 1024


class WorkerMemory:
    """Watches the process tree of a run, as a context around it.

    The kernel keeps each process' peak (``VmHWM``), so rare samples miss no spike: only what a
    worker gains in the last half second of its life can be lost.
    """

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._root = process.pid
        self._peak_kib: dict[int, int] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "WorkerMemory":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stopped.set()
        self._thread.join()

    @property
    def peak_mib(self) -> float | None:
        """The peak of the worker that took most; None where none was seen, or not on Linux."""
        return max(self._peak_kib.values()) / _MIB_IN_KIB if self._peak_kib else None

    def _watch(self) -> None:
        while _PROC.is_dir():
            for pid in python_workers(self._root):
                peak_kib = _peak_kib(pid)
                if peak_kib is not None:
                    self._peak_kib[pid] = max(peak_kib, self._peak_kib.get(pid, 0))
            if self._stopped.wait(_SECONDS_BETWEEN_SAMPLES):
                return


def own_peak_mib() -> float:
    """Return the peak resident memory of this process.

    Not ``ru_maxrss``, which a process begins with that of the one that started it.  Raises
    FruitsError where the kernel does not tell, as elsewhere than on Linux.
    """
    peak_kib = _peak_kib(os.getpid())
    if peak_kib is None:
        raise FruitsError("the peak memory of a process is measured on Linux; run it there")
    return peak_kib / _MIB_IN_KIB


def python_workers(root: int) -> list[int]:
    """Return the Python workers below a process: the children of the daemon that forks them."""
    children: dict[int, list[int]] = defaultdict(list)
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            parent = _parent(folder)
            if parent is not None:
                children[parent].append(int(folder.name))
    workers = []
    below = [root]
    while below:
        pid = below.pop()
        below.extend(children[pid])
        if _is_daemon(pid):
            workers.extend(children[pid])
    return workers


def _parent(folder: Path) -> int | None:
    try:
        stat = (folder / "stat").read_text()
    except OSError:  # it has ended since it was listed
        return None
    # The name, in brackets, may hold spaces and brackets: count from the last one.
    return int(stat.rpartition(")")[2].split()[1])


def _is_daemon(pid: int) -> bool:
    try:
        command = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return False
    return any(module in command for module in _DAEMONS)


def _peak_kib(pid: int) -> int | None:
    try:
        lines = (_PROC / str(pid) / "status").read_text().splitlines()
    except OSError:
        return None
    peaks = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return peaks[0] if peaks else None
