"""Silence of native libraries that write to the standard error stream, and of warnings."""

import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

_STDERR = 2
_MAX_TOLD_BYTES = 1024 * 1024
_lock = threading.Lock()
_n_blocks = 0
_original = -1


@contextmanager
def suppress_native_stderr(*, verbose: bool = False) -> Iterator[None]:
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


def captured_stderr() -> str:
    """Return what has been held back since the first open block began: why what is in it failed."""
    with _lock:
        if _n_blocks == 0:
            return ""
        return os.pread(_STDERR, _MAX_TOLD_BYTES, 0).decode(errors="replace")


def write_past_suppression(line: str) -> bool:
    """Print a line where standard error is held back; return whether it is.

    What a program says to people is not what native code prints: while Spark starts in one thread,
    another may say what it has found.
    """
    with _lock:
        if _n_blocks == 0 or not _is_own_stderr():
            return False
        os.write(_original, f"{line}\n".encode(errors="backslashreplace"))
        return True


def _is_own_stderr() -> bool:
    """Tell whether what Python prints goes the way that is held back."""
    try:
        return sys.stderr.fileno() == _STDERR
    except (OSError, ValueError):  # a stream in memory, as tests have
        return False


def _hold_back() -> None:
    global _n_blocks, _original
    with _lock:
        if _n_blocks == 0:
            sys.stderr.flush()
            _original = os.dup(_STDERR)
            with tempfile.TemporaryFile() as held:
                os.dup2(held.fileno(), _STDERR)
        _n_blocks += 1


def _let_through() -> None:
    global _n_blocks
    with _lock:
        _n_blocks -= 1
        if _n_blocks == 0:
            sys.stderr.flush()
            os.dup2(_original, _STDERR)
            os.close(_original)


class _QuietWarnings:
    """Python's warnings, left out for as long as any thread is in the block.

    `warnings.catch_warnings` changes them for all threads: where two blocks overlap, the later end
    would restore what the other has set.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_inside = 0
        self._outside = warnings.catch_warnings()

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_inside:
                self._outside = warnings.catch_warnings()
                self._outside.__enter__()
                warnings.simplefilter("ignore")
            self._n_inside += 1

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_inside -= 1
            if not self._n_inside:
                self._outside.__exit__(None, None, None)


_quiet_warnings = _QuietWarnings()


def suppress_warnings() -> AbstractContextManager[None]:
    """Return a block in which no thread of this process warns."""
    return _quiet_warnings
