"""Memory of this process: bounded, and given back."""

import ctypes
import resource
from contextlib import suppress
from pathlib import Path


def bound_memory(more_bytes: int) -> None:
    """Let this process allocate so much more than it has, where the system counts it: on Linux."""
    try:
        n_pages = int(Path("/proc/self/statm").read_text().split()[5])
    except OSError:
        return
    n_bytes = n_pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))


def give_memory_back() -> None:
    """Give what is freed back to the system; glibc keeps it, others do so by themselves."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
