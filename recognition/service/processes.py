"""Photographs are looked at in processes of their own, which can be ended.

A photograph is hostile input to decoders written in C.  20 MiB can keep a JPEG decoder busy for
half an hour, and damage that a decoder does not expect ends the process it is in.  No thread can
be ended; a process can, and the system bounds its memory.
"""

import multiprocessing
import os
import resource
import signal
import traceback
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Self

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import Identifier
from recognition.service.limits import ServiceLimits
from recognition.service.memory import bound_memory, give_memory_back
from recognition.service.refusals import busy, took_too_long
from spark_assets.errors import FruitsError
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason

# It reads nothing but what it is given, and is ready in less than a second.
_START_SECONDS = 60.0
_READY = b"ready"


class IdentifyingProcess:
    """A process that names fruit; another takes its place when a photograph was too much for it."""

    def __init__(self, identifier: Identifier, limits: ServiceLimits) -> None:
        self._identifier = identifier
        self._limits = limits
        self._is_over = False
        self._start()

    def _start(self) -> None:
        # Not a fork, which would copy the locks that other threads hold.
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(
            target=_name_fruit, args=(theirs, self._identifier, self._limits), daemon=True
        )
        self._process.start()
        theirs.close()
        self._is_ready = False

    def identify(self, content: bytes | bytearray) -> Prediction:
        """Answer what is on one photograph, within the limits of time and memory.

        Raises ImageRejected or Refused for one that cannot be used, Refused where the process takes
        too long to start, and FruitsError where it does not.
        """
        if not self._is_ready_within(self._limits.look_seconds):
            raise busy()
        try:
            self._connection.send_bytes(content)
            if not self._connection.poll(self._limits.look_seconds):
                self._start_anew()
                raise took_too_long()
            answer: Prediction | Exception = self._connection.recv()
        except (EOFError, OSError) as error:
            self._start_anew()
            raise ImageRejected(
                Reason.UNREADABLE, "it ended the process it was decoded in"
            ) from error
        if isinstance(answer, Exception):
            raise answer
        return answer

    def wait_until_ready(self) -> None:
        """Return when it has started.  Raises FruitsError where it does not."""
        if not self._is_ready_within(_START_SECONDS):
            raise _not_started()

    def _is_ready_within(self, seconds: float) -> bool:
        try:
            if not self._is_ready and self._connection.poll(seconds):
                self._is_ready = self._connection.recv_bytes() == _READY
        except (EOFError, OSError) as error:
            self._start_anew()
            raise _not_started() from error
        return self._is_ready

    def _start_anew(self) -> None:
        self._end()
        if not self._is_over:
            self._start()

    def _end(self) -> None:
        self._connection.close()
        self._process.kill()
        self._process.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, whatever it does, for good."""
        self._is_over = True
        self._end()


def _not_started() -> FruitsError:
    return FruitsError(
        "the process that looks at photographs did not start; "
        "free memory, and start fruits serve again"
    )


def _name_fruit(connection: Connection, identifier: Identifier, limits: ServiceLimits) -> None:
    """Answer one photograph after the other, until nobody asks any more."""
    # Ctrl+C reaches every process of the terminal; this one ends with the pipe.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # What is left of a process that a photograph has ended holds the photograph.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    bound_memory(limits.process_bytes)
    # Decoders print what they find odd, which is somebody's photograph.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):
        connection.send_bytes(_READY)
        while True:
            answer = _answer(identifier, connection.recv_bytes(), limits.image_limits)
            give_memory_back()
            connection.send(answer)


def _answer(identifier: Identifier, content: bytes, limits: ImageLimits) -> Prediction | Exception:
    try:
        return identifier.identify(content, limits=limits)
    except ImageRejected as rejected:
        # A new one: what was raised holds the frames that hold the picture.
        return ImageRejected(rejected.reason, rejected.detail)
    except MemoryError:
        return ImageRejected(Reason.TOO_LARGE, "not enough memory to look at it")
    # What nobody expected is told by the service, and the next photograph looked at.
    except Exception:  # noqa: BLE001
        return RuntimeError(traceback.format_exc())
