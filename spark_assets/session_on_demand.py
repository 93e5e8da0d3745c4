"""A session that is started once something needs it: to find nothing new takes no Spark."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeAlias

from pyspark.sql import SparkSession

# How a stage of the chain comes to its session.
GetSession: TypeAlias = Callable[[], SparkSession]


class SessionOnDemand:
    """Returns the one session when it is called, and stops it at the end of a ``with`` block.

    `begin` starts it in the background: a JVM takes seconds to start, in which Python can work.  So
    does `release` stop it, which takes up to a second.
    """

    def __init__(self, start: GetSession) -> None:
        self._start = start
        self._pool = ThreadPoolExecutor(1)
        self._session: Future[SparkSession] | None = None
        self._stops: list[Future[None]] = []

    def begin(self) -> None:
        """Start the session in the background, unless that has been done."""
        if self._session is None:
            self._session = self._pool.submit(self._start)

    def __call__(self) -> SparkSession:
        """Return the session, and wait for it if need be.  Raises what starting it raised."""
        self.begin()
        assert self._session is not None
        return self._session.result()

    def release(self) -> None:
        """Stop the session in the background.  Whoever needs one after all starts another."""
        if self._session is not None:
            session, self._session = self._session.result(), None
            self._stops.append(self._pool.submit(session.stop))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        for stopped in self._stops:
            stopped.result()
        if self._session is not None and self._session.exception() is None:
            self._session.result().stop()


def release(session: GetSession) -> None:
    """Release a session on demand; one that the caller holds is the caller's to stop."""
    if isinstance(session, SessionOnDemand):
        session.release()
