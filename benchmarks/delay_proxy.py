"""A TCP proxy on loopback that hands each request on after a delay: storage far away.

Only what the client sends is delayed, so one exchange of request and response takes one delay
longer, as a longer way to S3 would make it, and throughput stays as it is.
"""

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from benchmarks.processes import PROJECT

HOST = "127.0.0.1"


class _Upstream(asyncio.Protocol):
    """The side of the storage: what it answers goes back at once."""

    def __init__(self, client: asyncio.Transport) -> None:
        self._client = client

    def data_received(self, data: bytes) -> None:
        self._client.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.close()


class _Client(asyncio.Protocol):
    """The side of the client: what it sends goes on after the delay, in order."""

    def __init__(self, upstream_port: int, delay_s: float) -> None:
        self._upstream_port = upstream_port
        self._delay_s = delay_s
        self._loop = asyncio.get_running_loop()
        # None stands for the end of the connection.  A queue, because timers that fall due at the
        # same instant fire in no promised order.
        self._delayed: deque[bytes | None] = deque()
        self._upstream: asyncio.WriteTransport | None = None
        self._connecting: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        self._connecting = self._loop.create_task(self._connect(transport))

    async def _connect(self, client: asyncio.Transport) -> None:
        try:
            self._upstream, _ = await self._loop.create_connection(
                lambda: _Upstream(client), HOST, self._upstream_port
            )
        except OSError:
            client.abort()
            return
        client.resume_reading()

    def data_received(self, data: bytes) -> None:
        self._delay(data)

    def connection_lost(self, exc: Exception | None) -> None:
        self._delay(None)

    def _delay(self, data: bytes | None) -> None:
        self._delayed.append(data)
        if self._delay_s:
            self._loop.call_later(self._delay_s, self._pass_on)
        else:
            self._pass_on()

    def _pass_on(self) -> None:
        data = self._delayed.popleft()
        if self._upstream is None or self._upstream.is_closing():
            return
        if data is None:
            self._upstream.close()
        else:
            self._upstream.write(data)


@contextmanager
def running_delay_proxy(upstream_port: int, delay_ms: float) -> Iterator[int]:
    """Run the proxy in a process of its own; yield the port on which it listens."""
    arguments = ["--upstream-port", str(upstream_port), "--delay-ms", str(delay_ms)]
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.delay_proxy", *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        # Leaving the block closes its standard input, which ends it.
        yield int(process.stdout.readline())


async def _serve(upstream_port: int, delay_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(
        lambda: _Client(upstream_port, delay_s), HOST, 0
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.close()


def main(argv: Sequence[str] | None = None) -> None:
    """Print the port on standard output, then serve until standard input ends."""
    parser = argparse.ArgumentParser(prog="benchmarks.delay_proxy", description=__doc__)
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--delay-ms", type=float, required=True)
    arguments = parser.parse_args(argv)
    asyncio.run(_serve(arguments.upstream_port, arguments.delay_ms / 1000))


if __name__ == "__main__":
    main()
