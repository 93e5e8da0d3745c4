"""Who is next: a few photographs at a time, a few that wait, and no more."""

import asyncio
import queue
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import Identifier
from recognition.service.limits import ServiceLimits
from recognition.service.processes import IdentifyingProcess
from recognition.service.refusals import busy


class WaitingLine:
    """Hands photographs to processes, as many at a time as there are processes."""

    def __init__(self, processes: list[IdentifyingProcess], limits: ServiceLimits) -> None:
        self._limits = limits
        self._free = asyncio.Semaphore(len(processes))
        self._n_waiting = 0
        self._idle: queue.SimpleQueue[IdentifyingProcess] = queue.SimpleQueue()
        for process in processes:
            self._idle.put(process)
        self._threads = ThreadPoolExecutor(len(processes), thread_name_prefix="identify")

    async def identify(self, content: bytes | bytearray) -> Prediction:
        """Answer what is on one photograph, when it is its turn.

        Raises ImageRejected, and Refused where too many wait or it waits for too long.
        """
        await self._wait()
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, self._ask, content)
        finally:
            self._free.release()

    async def _wait(self) -> None:
        if self._free.locked() and self._n_waiting >= self._limits.n_waiting:
            raise busy()
        self._n_waiting += 1
        try:
            async with asyncio.timeout(self._limits.look_seconds):
                await self._free.acquire()
        except TimeoutError as error:
            raise busy() from error
        finally:
            self._n_waiting -= 1

    def _ask(self, content: bytes | bytearray) -> Prediction:
        process = self._idle.get()
        try:
            return process.identify(content)
        finally:
            self._idle.put(process)

    def close(self) -> None:
        """Take no more; the processes are ended by whoever made them."""
        self._threads.shutdown(wait=False, cancel_futures=True)


@contextmanager
def waiting_line(identifier: Identifier, limits: ServiceLimits) -> Iterator[WaitingLine]:
    """Yield a line before processes that are ready, and end them."""
    with ExitStack() as stack:
        processes = [
            stack.enter_context(IdentifyingProcess(identifier, limits))
            for _ in range(limits.n_at_a_time)
        ]
        for process in processes:
            process.wait_until_ready()
        line = WaitingLine(processes, limits)
        stack.callback(line.close)
        yield line
