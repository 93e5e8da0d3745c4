"""The lease of an output: one command at a time writes it.

``OUTPUT/_lease.json`` holds the command and its start, and nothing about the person or machine.

Local: a lock of the operating system on that file, which ends with the process.  Over a network
file system it holds between machines where ``flock`` is passed on, as NFS does on Linux.  In S3:
see `s3_lease`.
"""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from spark_assets.errors import FruitsError
from spark_assets.output.s3_lease import Holder, LeaseTimes, S3Lease
from spark_assets.runtime.progress import echo
from spark_assets.runtime.signals import raise_if_interrupted
from spark_assets.storage.files import write_failure
from spark_assets.storage.locations import Location

_FILE = "_lease.json"
_held: dict[Location, "Lease"] = {}


class Lease(Protocol):
    """A lock on an output."""

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lease, or return its live holder."""

    def is_held(self) -> bool:
        """Return whether this process still holds it."""

    def release(self) -> None:
        """Release it; does nothing for a lost one."""


@contextmanager
def hold_lease(
    output: Location, *, purpose: str, wait: bool, times: LeaseTimes | None = None
) -> Iterator[None]:
    """Hold the lease of an output during the block.

    ``purpose`` is the command, for the messages of others.  Raises FruitsError where another holds
    it, unless ``wait``.
    """
    times = times or LeaseTimes()
    file = output.child(_FILE)
    lease = S3Lease(file, times) if output.s3 else LocalLease(file)
    mine = Holder(purpose, datetime.now(UTC).isoformat(timespec="seconds"))
    _acquire(lease, mine, output, wait=wait, sleep=times.sleep)
    _held[output] = lease
    try:
        yield
    finally:
        del _held[output]
        lease.release()


def check_lease(output: Location) -> None:
    """Raise FruitsError where this process held the lease of an output and has lost it.

    Called before each commit.  Without a lease, as in a notebook, there is no check.
    """
    lease = _held.get(output)
    if lease is not None and not lease.is_held():
        raise FruitsError(
            f"this command was suspended for so long that another took over {output.uri}, so "
            "nothing of it is kept; run it again"
        )


def _acquire(
    lease: Lease, mine: Holder, output: Location, *, wait: bool, sleep: Callable[[float], None]
) -> None:
    is_first = True
    while (other := lease.acquire(mine)) is not None:
        at_work = f"{other.purpose}, since {other.since}, is at work on {output.uri}"
        if not wait:
            raise FruitsError(f"{at_work}; run this command when it has ended, or add --wait")
        if is_first:
            echo(f"{at_work}; waiting for its end")
            is_first = False
        sleep(1.0)
        raise_if_interrupted()


class LocalLease:
    """A lock of the operating system on a local file."""

    def __init__(self, file: Location) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lock, or return its holder.  Raises FruitsError for a read-only folder."""
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with os.fdopen(descriptor, "rb") as held:
                    return Holder.from_bytes(held.read())
            except OSError as error:  # a file system without locks
                os.close(descriptor)
                raise FruitsError(
                    f"{self._file.uri} cannot be locked ({os.strerror(error.errno or 0)}), so two "
                    "commands could write at a time; choose an output on another file system"
                ) from error
            if self._is_the_file(descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, mine.to_bytes("the lock on this file"), 0)
                self._descriptor = descriptor
                return None
            os.close(descriptor)  # the holder removed it meanwhile; there may be a new one

    def is_held(self) -> bool:
        return self._descriptor is not None and self._is_the_file(self._descriptor)

    def release(self) -> None:
        """Remove the file while it is locked, so that no unlocked file remains."""
        if self._descriptor is None:
            return
        if self.is_held():
            os.unlink(self._file.base)
        os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        try:
            os.makedirs(os.path.dirname(self._file.base), exist_ok=True)
            return os.open(self._file.base, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FruitsError(write_failure(self._file.uri, error)) from error

    def _is_the_file(self, descriptor: int) -> bool:
        """Return whether the path still leads to the open file."""
        try:
            at_path = os.stat(self._file.base)
        except FileNotFoundError:
            return False
        return os.path.samestat(at_path, os.fstat(descriptor))
