"""Who waits for whom: a few at a time, a few that wait, no more."""

import asyncio
import dataclasses
import threading
from typing import Any

from recognition.service.limits import ServiceLimits
from recognition.service.refusals import Refused
from recognition.service.waiting import WaitingLine
from spark_assets.images.rejection import ImageRejected, Reason

LIMITS = ServiceLimits(n_at_a_time=2, n_waiting=3, look_seconds=10.0)


class Gate:
    """Stands for a process: it answers when it is let go, and counts how many look at a time."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self._lock = threading.Lock()
        self.n_now = self.n_most = 0

    def identify(self, content: bytes) -> Any:
        with self._lock:
            self.n_now += 1
            self.n_most = max(self.n_most, self.n_now)
        self.go.wait(10)
        with self._lock:
            self.n_now -= 1
        if content == b"bad":
            raise ImageRejected(Reason.TRUNCATED, "half")
        return content


def asked(n: int, limits: ServiceLimits = LIMITS, *, go: bool = True) -> tuple[list[Any], Gate]:
    """Ask ``n`` times at once; return what came of each."""
    gate = Gate()

    async def all_of_them() -> list[Any]:
        line = WaitingLine([gate, gate], limits)  # type: ignore[list-item]
        asking = [asyncio.create_task(line.identify(bytes([i]))) for i in range(n)]
        await asyncio.sleep(0.05)
        if go:
            gate.go.set()
        found = await asyncio.gather(*asking[2:], return_exceptions=True)
        gate.go.set()
        found = [*await asyncio.gather(*asking[:2]), *found]
        line.close()
        return found

    return asyncio.run(all_of_them()), gate


def test_so_many_at_a_time_so_many_wait_and_the_others_are_refused():
    found, gate = asked(9)
    assert found[:5] == [bytes([i]) for i in range(5)]
    assert [each.reason for each in found[5:]] == ["busy"] * 4
    assert gate.n_most == 2


def test_whoever_waits_for_too_long_is_refused():
    found, _ = asked(4, dataclasses.replace(LIMITS, look_seconds=0.1), go=False)
    assert found[:2] == [b"\0", b"\1"]
    assert [each.reason for each in found[2:]] == ["busy"] * 2


def test_a_refusal_makes_room_for_the_next():
    gate = Gate()
    gate.go.set()

    async def one_after_the_other() -> list[Any]:
        line = WaitingLine([gate], LIMITS)  # type: ignore[list-item]
        found = []
        for content in (b"bad", b"good", b"bad", b"good"):
            found += await asyncio.gather(line.identify(content), return_exceptions=True)
        line.close()
        return found

    found = asyncio.run(one_after_the_other())
    assert found[1::2] == [b"good", b"good"]
    assert all(isinstance(each, ImageRejected) for each in found[::2])


def test_busy_is_an_answer_to_try_again():
    found, _ = asked(9)
    refused = found[-1]
    assert isinstance(refused, Refused)
    assert (refused.status, refused.headers) == (503, {"retry-after": "2"})
