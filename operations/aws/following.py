"""Polling of what changes in AWS, with a line at each change of state."""

import math
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from spark_assets.runtime.progress import echo
from spark_assets.text.numbers import minutes

Sleep = Callable[[float], None]
Clock = Callable[[], float]


class Observed(Protocol):
    """A state of something in AWS, and the lines that describe it."""

    @property
    def lines(self) -> Sequence[str]: ...

    @property
    def is_over(self) -> bool: ...


_ObservedT = TypeVar("_ObservedT", bound=Observed)


def follow(
    observe: Callable[[], _ObservedT],
    *,
    interval_s: float,
    only_once: bool = False,
    limit_s: float = math.inf,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> _ObservedT:
    """Observe every ``interval_s`` seconds until it is over, at most for ``limit_s`` seconds.

    Prints each line that the observation before did not have, with the time.  Returns the last
    observation.
    """
    start = clock()
    printed: Sequence[str] = ()
    while True:
        seen = observe()
        for line in seen.lines:
            if line not in printed:
                echo(f"{minutes(clock() - start):>12}  {line}")
        printed = seen.lines
        if seen.is_over or only_once or clock() - start >= limit_s:
            return seen
        sleep(interval_s)
