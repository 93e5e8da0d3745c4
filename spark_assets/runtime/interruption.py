"""Ctrl-C, told to threads of this process that work on images, or wait."""

import threading

from spark_assets.errors import FruitsError

_interrupted = threading.Event()


def begin_work() -> None:
    """Forget an interruption of earlier work in this process."""
    _interrupted.clear()


def interrupt() -> None:
    """Let every thread end that asks."""
    _interrupted.set()


def is_interrupted() -> bool:
    """Return whether the work was interrupted."""
    return _interrupted.is_set()


def raise_if_interrupted() -> None:
    """Raise FruitsError where the work was interrupted."""
    if is_interrupted():
        raise FruitsError("interrupted; only what is complete is visible")
