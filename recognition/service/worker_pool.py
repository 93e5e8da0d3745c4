"""Worker processes that identify photographs within limits of time and memory.

A photograph is hostile input to decoders written in C: 20 MiB keep a JPEG decoder busy for half an
hour, and a malformed file can crash the process.  A process can be ended, a thread cannot.
"""

import asyncio
import ctypes
import multiprocessing
import os
import resource
import signal
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from pathlib import Path
from typing import Self

from pebble import ProcessExpired, ProcessPool

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import Identifier
from recognition.service.limits import ServiceLimits
from recognition.service.service_errors import ServiceError
from spark_assets.errors import FruitsError
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason

_START_SECONDS = 60.0


class WorkerPool:
    """A pool of workers; one that is ended, or that crashes, is replaced."""

    def __init__(self, identifier: Identifier, limits: ServiceLimits) -> None:
        self._limits = limits
        self._initargs = (identifier, limits.worker_bytes, limits.image_limits)
        self._pool = self._new_pool()

    def __enter__(self) -> Self:
        """Start the workers.  Raises FruitsError where they do not start."""
        try:
            self._pool.schedule(os.getpid).result(_START_SECONDS)
        except (BrokenProcessPool, TimeoutError) as error:
            self._stop()
            raise FruitsError(
                "the worker processes of the service did not start; "
                "free memory, and start fruits serve again"
            ) from error
        return self

    def __exit__(self, *_: object) -> None:
        """End the workers at once, whatever they do."""
        self._stop()

    async def identify(self, content: bytes) -> Prediction:
        """Return the prediction for one photograph.

        Raises ServiceError for one that cannot be used, or takes too long, and where no worker is
        free in time.
        """
        for _ in range(2):  # a pool that breaks takes photographs with it that are not to blame
            try:
                result = await self._result(content)
            except BrokenProcessPool:
                continue
            except ProcessExpired as error:
                raise ServiceError(Reason.UNREADABLE, "the decoder crashed") from error
            if isinstance(result, ImageRejected):
                raise ServiceError(result.reason, result.detail)
            return result
        raise ServiceError("busy")

    async def _result(self, content: bytes) -> Prediction | ImageRejected:
        # Pebble's time limit begins when a worker takes the photograph: neither the wait for a
        # worker nor the start of a new one counts.
        future = self._running_pool().schedule(
            _identify, (content,), timeout=self._limits.identify_seconds
        )
        try:
            async with asyncio.timeout(self._limits.wait_seconds) as deadline:
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            raise ServiceError("busy" if deadline.expired() else "took_too_long") from error

    def _running_pool(self) -> ProcessPool:
        # Pebble gives a pool up when a worker dies between two photographs.
        if not self._pool.active:
            self._stop()
            self._pool = self._new_pool()
        return self._pool

    def _new_pool(self) -> ProcessPool:
        return ProcessPool(
            max_workers=self._limits.n_workers,
            initializer=_initialize_worker,
            initargs=self._initargs,
            # Not a fork, which would copy the locks that other threads hold.
            context=multiprocessing.get_context("spawn"),
        )

    def _stop(self) -> None:
        self._pool.stop()
        self._pool.join()


_identifier: Identifier
_image_limits: ImageLimits


def _initialize_worker(identifier: Identifier, max_bytes: int, image_limits: ImageLimits) -> None:
    global _identifier, _image_limits
    _identifier, _image_limits = identifier, image_limits
    # Pebble's handler would wait for the decoder to return.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # A core dump would hold the photograph.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit_memory(max_bytes)
    # Decoders print what they find odd, which is part of a photograph.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def limit_memory(more_bytes: int) -> None:
    """Limit the memory of this process to what it has and ``more_bytes``; on Linux only."""
    try:
        n_pages = int(Path("/proc/self/statm").read_text().split()[5])
    except OSError:
        return
    n_bytes = n_pages * resource.getpagesize() + more_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (n_bytes, n_bytes))


def _identify(content: bytes) -> Prediction | ImageRejected:
    # A rejection is returned as a new one: the frames of the raised one hold the pixels, and pebble
    # keeps the last result until the next.
    try:
        return _identifier.identify(content, limits=_image_limits)
    except ImageRejected as rejected:
        return ImageRejected(rejected.reason, rejected.detail)
    except MemoryError:
        return ImageRejected(Reason.TOO_LARGE, "not enough memory to decode it")
    finally:
        trim_memory()


def trim_memory() -> None:
    """Return freed memory to the system: glibc keeps it, 0.6 GiB after large photographs."""
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
