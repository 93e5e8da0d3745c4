"""The lease of an output: of two commands that would write it, the second is told of the first.

``OUTPUT/_lease.json`` says what is at work and since when, and nothing of who or where.

A local output is held by a lock of the operating system on that file, which ends with the process
that holds it, however that ends.  In S3 there is no such lock.  The holder writes the file anew
every few seconds, on the condition that it is still what it wrote last; whoever wants it watches
it, on its own clock, and takes it over once it has not changed for long enough, on the condition
that it is still what it saw.  Of two that take over a dead lease, one succeeds.  A holder that was
paused for so long notices at `check_lease`, which every commit asks first; a pause between that and
the commit itself, of the length of `LeaseTimes.dead_after_s`, is not noticed.
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
    """A way to hold an output."""

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lease, or return who is alive and holds it."""

    def is_held(self) -> bool:
        """Tell whether it is still held, at this moment."""

    def release(self) -> None:
        """Give it up; does nothing where it is lost."""


@contextmanager
def hold_lease(
    output: Location, *, purpose: str, wait: bool, times: LeaseTimes | None = None
) -> Iterator[None]:
    """Hold an output for the time of the block.

    ``purpose`` is the command, as others are told of it.  Raises FruitsError where another holds
    it, unless it is to be waited for.
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

    Called right before each commit.  Where no lease was taken, as in a notebook, nothing is asked.
    """
    lease = _held.get(output)
    if lease is not None and not lease.is_held():
        raise FruitsError(
            f"this command was still for so long that another took over {output.uri}, so "
            "nothing of it is kept; give it again"
        )


def _acquire(
    lease: Lease, mine: Holder, output: Location, *, wait: bool, sleep: Callable[[float], None]
) -> None:
    told = False
    while (other := lease.acquire(mine)) is not None:
        who = f"{other.purpose}, since {other.since}, is at work on {output.uri}"
        if not wait:
            raise FruitsError(f"{who}; give the command again when it has ended, or with --wait")
        if not told:
            echo(f"{who}; waiting for its end")
            told = True
        sleep(1.0)
        raise_if_interrupted()


class LocalLease:
    """Holds a local file locked."""

    def __init__(self, file: Location) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lock, or return who has it.  Raises FruitsError for a place without a write."""
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
            os.close(descriptor)  # its holder has removed it in between: there may be a new one

    def is_held(self) -> bool:
        return self._descriptor is not None and self._is_the_file(self._descriptor)

    def release(self) -> None:
        """Remove the file while it is locked, so that nobody finds an unlocked one."""
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
        """Tell whether the path still leads to the file that is open."""
        try:
            at_path = os.stat(self._file.base)
        except FileNotFoundError:
            return False
        return os.path.samestat(at_path, os.fstat(descriptor))
