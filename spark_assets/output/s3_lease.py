"""The lease of an output in S3: an object that its holder renews, by conditional writes."""

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

# S3 answers so where the condition of a write does not hold, or another write is under way.
_REFUSED = ("PreconditionFailed", "ConditionalRequestConflict", "412", "409")
_GONE = ("NoSuchKey", "404")


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """How a lease in S3 is kept and watched, in seconds.

    The holder renews it every ``heartbeat_s``; one that has not changed for ``dead_after_s`` is
    taken over.
    """

    heartbeat_s: float = 10.0
    dead_after_s: float = 45.0
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True, slots=True)
class Holder:
    """Which command holds an output, and since when (ISO 8601)."""

    purpose: str
    since: str

    def to_bytes(self, sign_of_life: str) -> bytes:
        value = {"purpose": self.purpose, "since": self.since, "sign_of_life": sign_of_life}
        return json.dumps(value).encode()

    @classmethod
    def from_bytes(cls, content: bytes) -> "Holder":
        """Return who wrote a file, or someone unknown: it may be half written."""
        try:
            value = json.loads(content)
            return cls(str(value["purpose"]), str(value["since"]))
        except (ValueError, KeyError, TypeError):
            return cls("another command", "an unknown time")


class _Seen(Enum):
    """What came of watching a lease."""

    ALIVE = 1
    DEAD = 2
    RELEASED = 3


class S3Lease:
    """Holds an object in S3 as long as it renews it.

    A renewal whose answer was lost is recognized by the mark of this process in the object.
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
        """Take the lease if there is none or the one there is dead; or return who is alive.

        A lease that is there is watched until it changes, which takes a heartbeat of its holder at
        most, or until it has not changed for `LeaseTimes.dead_after_s`.
        """
        self._mine = mine
        while (etag := self._write(only_if_absent=True)) is None:
            if (found := self._read()) is None:
                continue  # released in between
            seen, content = found
            if self._mark.encode() in content:
                etag = seen  # the answer to this very write was lost
                break
            match self._watch(seen):
                case _Seen.ALIVE:
                    return Holder.from_bytes(content)
                case _Seen.DEAD if (etag := self._write(only_if=seen)) is not None:
                    break
                case _:
                    continue  # released, or taken over by another that saw it dead
        self._etag = etag
        threading.Thread(target=self._keep, name="lease", daemon=True).start()
        return None

    def is_held(self) -> bool:
        """Renew the lease, and tell whether that was possible."""
        with self._lock:
            return self._renew()

    def release(self) -> None:
        """Delete the object if it is still this process's.

        What was done is done: where S3 cannot be asked, the lease ends by itself.
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
                    f"ends by itself within {self._times.dead_after_s:g} s"
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
                    continue  # the network may be back at the next beat; a commit asks by itself

    def _renew(self) -> bool:
        if self._etag is None:
            return False
        etag = self._write(only_if=self._etag) or self._own_write()
        self._etag = etag
        return etag is not None

    def _own_write(self) -> str | None:
        """Return the state of the object where this process wrote it last and was not told so."""
        found = self._read()
        if found is None or self._mark.encode() not in found[1]:
            return None
        return found[0]

    def _watch(self, seen: str) -> _Seen:
        """Watch a lease for as long as its holder may be silent, on the clock of this machine."""
        until = time.monotonic() + self._times.dead_after_s
        while time.monotonic() < until:
            self._times.sleep(min(1.0, self._times.dead_after_s / 10))
            found = self._read()
            if found is None:
                return _Seen.RELEASED
            if found[0] != seen:
                return _Seen.ALIVE
        return _Seen.DEAD

    def _write(self, *, only_if: str | None = None, only_if_absent: bool = False) -> str | None:
        """Write the object and return its new state, or None where the condition does not hold."""
        assert self._mine is not None
        self._n_renewals += 1
        condition = {"IfNoneMatch": "*"} if only_if_absent else {"IfMatch": only_if}
        body = self._mine.to_bytes(f"{self._mark} {self._n_renewals}")
        try:
            answer = self._client.put_object(
                Bucket=self._bucket, Key=self._key, Body=body, **condition
            )
        except botocore.exceptions.ClientError as error:
            if error_code(error) in (*_REFUSED, *_GONE):
                return None
            raise
        return str(answer["ETag"])

    def _read(self) -> tuple[str, bytes] | None:
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key)
        except botocore.exceptions.ClientError as error:
            if error_code(error) in _GONE:
                return None
            raise
        return str(answer["ETag"]), answer["Body"].read()
