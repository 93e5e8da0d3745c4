"""The lease of an output in S3: an object that its holder renews, by conditional writes.

S3 has no locks.  The holder rewrites the object every few seconds, on condition that it is
unchanged.  A command that wants the lease watches the object on its own clock, and takes it over
once it has not changed for `LeaseTimes.dead_after_s`, on the same condition: of two that try, one
succeeds.  A holder that was suspended for so long notices at its next renewal, which each commit
begins with; a pause of this length between that renewal and the commit itself goes unnoticed.
"""

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import botocore.exceptions

from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import Client, error_code, s3_client

# The condition of a write does not hold, or another write is in progress.
_CONFLICT = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_MISSING = ("NoSuchKey", "404")


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """Times in seconds: a holder renews its lease every ``heartbeat_s``.

    One that has not changed for ``dead_after_s`` is taken over.
    """

    heartbeat_s: float = 10.0
    dead_after_s: float = 45.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Holder:
    """The command that holds an output, and its start (ISO 8601)."""

    purpose: str
    since: str

    def to_bytes(self, sign_of_life: str) -> bytes:
        value = {"purpose": self.purpose, "since": self.since, "sign_of_life": sign_of_life}
        return json.dumps(value).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Holder":
        """Return the holder that a file names; unknown for a half-written one."""
        try:
            value = json.loads(content)
            return cls(str(value["purpose"]), str(value["since"]))
        except (ValueError, KeyError, TypeError):
            return cls("another command", "an unknown time")


class _State(Enum):
    """The state of another's lease, after watching it."""

    ALIVE = 1
    DEAD = 2
    RELEASED = 3


class S3Lease:
    """An object in S3 that this process renews.

    The object holds a mark of this process, by which a write whose response was lost is recognized.
    """

    def __init__(self, file: Location, times: LeaseTimes) -> None:
        assert file.s3 is not None
        self._client: Client = s3_client(file.s3)
        self._bucket, _, self._key = file.base.partition("/")
        self._times = times
        self._mark = secrets.token_hex(8)
        self._n_renewals = 0
        self._etag: str | None = None
        self._mine: Holder | None = None
        self._lock = threading.Lock()
        self._released = threading.Event()

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lease, or return its live holder.

        An existing lease is watched until it changes, for at most `LeaseTimes.dead_after_s`.
        """
        self._mine = mine
        while (etag := self._write(only_if_absent=True)) is None:
            if (found := self._read()) is None:
                continue  # released meanwhile
            seen, content = found
            if self._mark.encode() in content:
                etag = seen  # the response to this write was lost
                break
            match self._watch(seen):
                case _State.ALIVE:
                    return Holder.from_bytes(content)
                case _State.DEAD if (etag := self._write(only_if=seen)) is not None:
                    break
                case _:
                    continue  # released, or taken over by a third command
        self._etag = etag
        threading.Thread(target=self._keep, name="lease", daemon=True).start()
        return None

    def is_held(self) -> bool:
        """Renew the lease, and return whether that succeeded."""
        with self._lock:
            return self._renew()

    def release(self) -> None:
        """Delete the object if it still belongs to this process.

        A failure is only reported, because the work is committed and the lease expires.
        """
        self._released.set()
        with self._lock:
            try:
                if self._renew():
                    self._client.delete_object(
                        Bucket=self._bucket, Key=self._key, IfMatch=self._etag
                    )
            except (botocore.exceptions.BotoCoreError, botocore.exceptions.ClientError) as error:
                echo(
                    f"the lease of the output could not be released ({type(error).__name__}); it "
                    f"expires within {self._times.dead_after_s:g} s"
                )
            self._etag = None

    def _keep(self) -> None:
        while not self._released.wait(self._times.heartbeat_s):
            with self._lock:
                if self._released.is_set():
                    return
                try:
                    if not self._renew():
                        return
                except (
                    botocore.exceptions.BotoCoreError,
                    botocore.exceptions.ClientError,
                ):
                    continue  # the network may be back at the next beat; a commit checks again

    def _renew(self) -> bool:
        if self._etag is None:
            return False
        etag = self._write(only_if=self._etag) or self._own_write()
        self._etag = etag
        return etag is not None

    def _own_write(self) -> str | None:
        """Return the ETag of the object if this process wrote it last."""
        found = self._read()
        if found is None or self._mark.encode() not in found[1]:
            return None
        return found[0]

    def _watch(self, seen: str) -> _State:
        """Watch a lease for `LeaseTimes.dead_after_s` on the clock of this machine."""
        until = time.monotonic() + self._times.dead_after_s
        while time.monotonic() < until:
            self._times.sleep(min(1.0, self._times.dead_after_s / 10))
            found = self._read()
            if found is None:
                return _State.RELEASED
            if found[0] != seen:
                return _State.ALIVE
        return _State.DEAD

    def _write(self, *, only_if: str | None = None, only_if_absent: bool = False) -> str | None:
        """Write the object and return its ETag, or None where the condition does not hold."""
        assert self._mine is not None
        self._n_renewals += 1
        condition = {"IfNoneMatch": "*"} if only_if_absent else {"IfMatch": only_if}
        body = self._mine.to_bytes(f"{self._mark} {self._n_renewals}")
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=body, **condition
            )
        except botocore.exceptions.ClientError as error:
            if error_code(error) in (*_CONFLICT, *_MISSING):
                return None
            raise
        return str(answer["ETag"])

    def _read(self) -> tuple[str, bytes] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
        except botocore.exceptions.ClientError as error:
            if error_code(error) in _MISSING:
                return None
            raise
        return str(answer["ETag"]), answer["Body"].read()
