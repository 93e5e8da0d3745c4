"""Early ends of a command: a closed output pipe, and Ctrl-C."""

import os
import select
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from spark_assets.errors import ExitCode, FruitsError

_STDOUT, _STDERR = 1, 2
_interrupted = threading.Event()
_lock = threading.Lock()
_cancel: Callable[[], None] | None = None


@contextmanager
def exit_at_closed_pipe() -> Iterator[None]:
    """Exit without a message when the output pipe is closed, as in ``fruits cost | head -1``.

    The exit code is `ExitCode.CLOSED_PIPE`.  The streams are flushed within the block: a flush that
    fails at the end of the interpreter prints an error.
    """
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
    except BrokenPipeError:
        if not (closed := closed_outputs()):
            raise
        for descriptor in closed:
            os.dup2(os.open(os.devnull, os.O_WRONLY), descriptor)
        sys.exit(ExitCode.CLOSED_PIPE)


def closed_outputs() -> list[int]:
    """Return the file descriptors of stdout and stderr that are closed pipes."""
    outputs = select.poll()
    for descriptor in (_STDOUT, _STDERR):
        outputs.register(descriptor, 0)  # poll reports a closed pipe without a request
    return [d for d, events in outputs.poll(0) if events & (select.POLLERR | select.POLLHUP)]


def reset_interruption() -> None:
    """Clear an interruption of earlier work in this process."""
    _interrupted.clear()


def interrupt() -> None:
    """Mark the work as interrupted, for the threads that check."""
    _interrupted.set()


def is_interrupted() -> bool:
    """Return whether the work was interrupted."""
    return _interrupted.is_set()


def raise_if_interrupted() -> None:
    """Raise FruitsError where the work was interrupted."""
    if is_interrupted():
        raise FruitsError("interrupted; only what is complete is visible")


def cancel_with(cancel: Callable[[], None] | None) -> None:
    """Set what `cancel_spark_jobs` calls; with None, wait for a call in progress."""
    global _cancel
    with _lock:
        _cancel = cancel


def cancel_spark_jobs() -> None:
    """Cancel the jobs of Spark, if it runs."""
    with _lock:
        if _cancel is not None:
            _cancel()
