"""Suppression of what native libraries write to standard error, and of Python warnings.

Both are state of the whole process, and blocks may overlap in several threads: suppression ends
with the last of them.
"""

import os
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

_STDERR = 2
_MAX_CAPTURED_BYTES = 1024 * 1024


class _Overlapping:
    """A context that the first of overlapping blocks enters and the last one exits."""

    def __init__(self, enter: Callable[[ExitStack], None]) -> None:
        self.lock = threading.Lock()
        self.n_blocks = 0
        self._enter = enter
        self._stack = ExitStack()

    @contextmanager
    def block(self) -> Iterator[None]:
        with self.lock:
            if self.n_blocks == 0:
                self._enter(self._stack)
            self.n_blocks += 1
        try:
            yield
        finally:
            with self.lock:
                self.n_blocks -= 1
                if self.n_blocks == 0:
                    self._stack.close()


def _redirect_stderr(stack: ExitStack) -> None:
    global _original_stderr
    sys.stderr.flush()
    _original_stderr = os.dup(_STDERR)
    stack.callback(os.close, _original_stderr)
    stack.callback(os.dup2, _original_stderr, _STDERR)
    stack.callback(sys.stderr.flush)
    with tempfile.TemporaryFile() as captured:
        os.dup2(captured.fileno(), _STDERR)


def _ignore_warnings(stack: ExitStack) -> None:
    stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore")


_stderr, _warnings = _Overlapping(_redirect_stderr), _Overlapping(_ignore_warnings)
_original_stderr = -1


@contextmanager
def suppress_native_stderr(*, verbose: bool = False) -> Iterator[None]:
    """Capture standard error during the block, unless ``verbose``.

    TensorFlow and LiteRT announce processors and delegates there, and have no setting for it.
    """
    with ExitStack() as stack:
        if not verbose:
            stack.enter_context(_stderr.block())
        yield


def captured_stderr() -> str:
    """Return the standard error captured since the first open block began."""
    with _stderr.lock:
        if _stderr.n_blocks == 0:
            return ""
        return os.pread(_STDERR, _MAX_CAPTURED_BYTES, 0).decode(errors="replace")


def write_past_suppression(line: str) -> bool:
    """Write a line to the original standard error; return False where it is not suppressed.

    For the program's own messages: one thread may report while another starts Spark.
    """
    with _stderr.lock:
        if _stderr.n_blocks == 0 or not _is_stderr_of_process():
            return False
        os.write(_original_stderr, f"{line}\n".encode(errors="backslashreplace"))
        return True


@contextmanager
def suppress_warnings() -> Iterator[None]:
    """Ignore the warnings of all threads during the block.

    Of overlapping `warnings.catch_warnings`, the later end restores the filters of the other.
    """
    with _warnings.block():
        yield


def _is_stderr_of_process() -> bool:
    try:
        return sys.stderr.fileno() == _STDERR
    except (OSError, ValueError):  # a stream in memory, as in tests
        return False
