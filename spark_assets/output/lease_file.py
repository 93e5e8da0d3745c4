"""What stands in the file of a lease, and how long one lasts without a sign of life."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass


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
