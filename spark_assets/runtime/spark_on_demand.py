"""Spark that is started once something needs it: to find nothing new takes none."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self, TypeAlias

from pyspark import SparkContext

# How a stage of the chain comes to Spark.
GetSpark: TypeAlias = Callable[[], SparkContext]


class SparkOnDemand:
    """Returns the one context when it is called, and stops Spark at the end of a ``with`` block.

    ``is_asked_for``: images are featurized by it even where they are few.

    `begin` starts Spark in the background: a JVM takes seconds to start, in which Python can work.
    """

    def __init__(self, start: GetSpark, *, is_asked_for: bool = True) -> None:
        self._start = start
        self.is_asked_for = is_asked_for
        self._pool = ThreadPoolExecutor(1)
        self._context: Future[SparkContext] | None = None

    def begin(self) -> None:
        """Start Spark in the background, unless that has been done."""
        if self._context is None:
            self._context = self._pool.submit(self._start)

    def __call__(self) -> SparkContext:
        """Return Spark's context, and wait for it if need be.  Raises what starting it raised."""
        self.begin()
        assert self._context is not None
        return self._context.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown()
        if self._context is not None and self._context.exception() is None:
            self._context.result().stop()


def is_asked_for(spark: GetSpark) -> bool:
    """Return whether images are featurized by Spark even where they are few."""
    return not isinstance(spark, SparkOnDemand) or spark.is_asked_for
