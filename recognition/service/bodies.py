"""Reading the bytes of a photograph: so many of one, so many of all together, within a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from http import HTTPStatus

from starlette.requests import Request

from recognition.service.limits import ServiceLimits
from recognition.service.memory import give_memory_back
from recognition.service.refusals import Refused, busy, too_many_bytes


class Bodies:
    """The photographs that are in memory."""

    def __init__(self, limits: ServiceLimits) -> None:
        self._limits = limits
        self._n_held_bytes = 0

    @asynccontextmanager
    async def body_of(self, request: Request) -> AsyncIterator[bytearray]:
        """Yield the whole body of a request, which counts as held until the end.

        Raises Refused where it is too large, too slow or one too many.
        """
        declared = request.headers.get("content-length", "0")
        if not declared.isdecimal() or int(declared) > self._limits.max_bytes:
            raise too_many_bytes()
        content = bytearray()
        try:
            await self._read(request, content)
            yield content
        finally:
            self._n_held_bytes -= len(content)
            with suppress(BufferError):  # while it ends, a process may still be sent it
                content.clear()
            give_memory_back()

    async def _read(self, request: Request, content: bytearray) -> None:
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                async for chunk in request.stream():
                    self._check(len(content) + len(chunk), len(chunk))
                    content += chunk
                    self._n_held_bytes += len(chunk)
        except TimeoutError as error:
            raise Refused(HTTPStatus.REQUEST_TIMEOUT, "too_slow", closes=True) from error

    def _check(self, n_bytes: int, n_more: int) -> None:
        if n_bytes > self._limits.max_bytes:
            raise too_many_bytes()
        if self._n_held_bytes + n_more > self._limits.max_held_bytes:
            raise busy()
