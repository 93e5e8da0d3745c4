"""Silence for native libraries that write to the standard error stream past Python."""

import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_n_blocks = 0
_original = -1


@contextmanager
def quiet_native_stderr(*, verbose: bool = False) -> Iterator[None]:
    """Hold back what native code prints, until the last of several such blocks has ended.

    TensorFlow and LiteRT announce processors and delegates there, and have no setting for it.
    Blocks may overlap in several threads: the stream is one for the whole process.
    """
    if verbose:
        yield
        return
    _hold_back()
    try:
        yield
    finally:
        _let_through()


def _hold_back() -> None:
    global _n_blocks, _original
    with _lock:
        if _n_blocks == 0:
            sys.stderr.flush()
            _original = os.dup(2)
            with tempfile.TemporaryFile() as held:
                os.dup2(held.fileno(), 2)
        _n_blocks += 1


def _let_through() -> None:
    global _n_blocks
    with _lock:
        _n_blocks -= 1
        if _n_blocks == 0:
            sys.stderr.flush()
            os.dup2(_original, 2)
            os.close(_original)
