"""Requests in parallel, and their progress."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from contextlib import contextmanager
from typing import TypeVar

from tqdm import tqdm

from spark_assets.runtime.progress import LINE_EVERY_S, echo

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_parallel(
    work: Callable[[Item], Result], items: Iterable[Item], *, n_threads: int
) -> Iterator[Result]:
    """Yield the results as they complete, with at most ``2 * n_threads`` items in memory.

    An exception stops it: running items complete, the others do not start.
    """
    pool = ThreadPoolExecutor(n_threads, thread_name_prefix="aws")
    waiting: set[Future[Result]] = set()
    try:
        for item in items:
            waiting.add(pool.submit(work, item))
            if len(waiting) == 2 * n_threads:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    yield future.result()
        for future in as_completed(waiting):
            yield future.result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def counted(unit: str, *, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show progress: a bar on a terminal, a plain line every 30 s elsewhere.

    Yields the function that adds to the count.  ``total`` is None where it is unknown.
    """
    start = next_line = time.monotonic()
    on_terminal = sys.stderr.isatty()
    done = 0
    with tqdm(total=total, unit=unit, disable=not on_terminal, leave=False) as bar:

        def add(n: int) -> None:
            nonlocal done, next_line
            done += n
            bar.update(n)
            now = time.monotonic()
            if not on_terminal and now - next_line >= LINE_EVERY_S:
                next_line = now
                of_all = "" if total is None else f" of {total}"
                echo(f"{done}{of_all} {unit}s, {done / (now - start):.1f} {unit}s/s")

        yield add
