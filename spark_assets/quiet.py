"""Silence for native libraries that write to the standard error stream past Python."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet_native_stderr(*, verbose: bool = False) -> Iterator[None]:
    """Hold back what native code prints.

    TensorFlow and LiteRT announce processors and delegates there, and have no setting for it.
    """
    if verbose:
        yield
        return
    sys.stderr.flush()
    original = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(original, 2)
            os.close(original)
