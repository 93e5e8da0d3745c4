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

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Protocol

from spark_assets.errors import FruitsError
from spark_assets.output.lease_file import Holder, LeaseTimes
from spark_assets.output.local_lease import LocalLease
from spark_assets.output.s3_lease import S3Lease
from spark_assets.runtime.interruption import raise_if_interrupted
from spark_assets.runtime.progress import echo
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
