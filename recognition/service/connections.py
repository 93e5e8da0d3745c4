"""Connections that cannot last: uvicorn's protocol with deadlines, and room for a new one.

uvicorn limits neither how long the head of a request may take nor how long a client may leave an
answer unread, and counts connections only when they ask for something.
"""

import asyncio
from typing import Any, ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from recognition.service.limits import ServiceLimits

_HEAD_TOO_SLOW = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n"
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 16\r\n\r\nRequest Timeout\n"
)


class LimitedProtocol(H11Protocol):
    """A connection with a deadline: for the head of its next request, or for the request.

    ``silent`` holds those that have asked for nothing, the oldest first.
    """

    limits: ClassVar[ServiceLimits]
    silent: ClassVar[dict["LimitedProtocol", None]]
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Make room for this connection, at the cost of one that has asked for nothing."""
        if len(self.connections) >= self.limits.n_connections and self.silent:
            oldest = next(iter(self.silent))
            oldest._forget()
            oldest.transport.abort()
        super().connection_made(transport)
        self._expect_head()

    def data_received(self, data: bytes) -> None:
        """Hear whether a request has begun."""
        before = self.cycle
        super().data_received(data)
        if self.cycle is not before:
            self._expect_end()

    def on_response_complete(self) -> None:
        """Wait for the next request, or for the one that was there already."""
        before = self.cycle
        super().on_response_complete()
        if self.cycle is before:
            self._expect_head()
        else:
            self._expect_end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the deadline."""
        self._forget()
        super().connection_lost(exc)

    def _expect_head(self) -> None:
        self._forget()
        self.silent[self] = None
        self._deadline = self.loop.call_later(self.limits.head_seconds, self._end_silent)

    def _expect_end(self) -> None:
        self._forget()
        self._deadline = self.loop.call_later(self.limits.request_seconds, self.transport.abort)

    def _forget(self) -> None:
        self.silent.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()

    def _end_silent(self) -> None:
        has_begun = self.conn.our_state is h11.IDLE and self.conn.trailing_data[0]
        if has_begun and not self.transport.is_closing():
            self.transport.write(_HEAD_TOO_SLOW)
            self.transport.close()
        else:  # also what is left of an answer that nobody reads
            self.transport.abort()


def protocol_within(limits: ServiceLimits) -> type[LimitedProtocol]:
    """Return the protocol of one service, for the ``http`` of uvicorn's Config."""
    return type("ProtocolWithinLimits", (LimitedProtocol,), {"limits": limits, "silent": {}})


def connection_options(limits: ServiceLimits) -> dict[str, Any]:
    """Return what uvicorn's Config takes of the limits."""
    return {
        "http": protocol_within(limits),
        # Reached only where every connection is busy with a request.
        "limit_concurrency": limits.n_connections + 1,
        "h11_max_incomplete_event_size": 16 * 1024,
        "backlog": 128,
    }
