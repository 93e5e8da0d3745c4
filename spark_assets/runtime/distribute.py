"""A function of a share of files or rows, done in tasks of Spark where rows are many, or here.

Tasks get no more than names, and read and write by themselves: no table passes through the JVM.
"""

import gc
import sys
import zipimport
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from typing import TypeVar

from pyspark import RDD
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from spark_assets.runtime.spark_context import GetSpark, n_task_slots

Item = TypeVar("Item")
Result = TypeVar("Result")

# Photographs that two threads featurize within a minute, and of whose features they compute a PCA
# while Spark starts.  With 16 cores, the lock of Python takes as long by then as Spark's start.
_MAX_ROWS_HERE = 50_000
# What a thread works on may take 300 MB: the largest image that is allowed.
_N_THREADS = 2
# With one, the slowest slot is waited for.  With four, the statistics of 35,000 images took a fifth
# longer: those of each share are 13 MB, to be sent and merged.
_SHARES_PER_SLOT = 2
# The most that the driver gets to merge, and that one task does.
_MAX_PARTS = 32
_FAN_IN = 8


def is_for_spark(n_rows: int) -> bool:
    """Return whether so many images, or rows of features, are for tasks of Spark."""
    return n_rows > _MAX_ROWS_HERE


def map_shares(
    spark: GetSpark,
    work: Callable[[Sequence[Item]], Result],
    items: Sequence[Item],
    *,
    n_rows: int,
) -> list[Result]:
    """Deal the items into shares, and return what ``work`` makes of each share.

    ``n_rows`` that the items stand for decide whether Spark is needed.  A share may be worked on
    twice, by a task that is tried again: ``work`` comes to the same then, and to the same files.
    """
    if not is_for_spark(n_rows):
        return map_here(work, items)
    return _in_tasks(spark, work, items).values().collect()


def merge_shares(
    spark: GetSpark,
    work: Callable[[Sequence[Item]], Result],
    merge: Callable[[Result, Result], Result],
    items: Sequence[Item],
    *,
    n_rows: int,
) -> Result:
    """Return what `map_shares` does, merged; tasks merge it in a tree where it is of many shares.

    It is merged in the order of the shares, so that the same ones give the same digits.
    """
    if not is_for_spark(n_rows):
        return reduce(merge, map_here(work, items))
    parts = _in_tasks(spark, work, items)
    n_parts = parts.getNumPartitions()
    while n_parts > _MAX_PARTS:
        n_parts = max(-(-n_parts // _FAN_IN), _MAX_PARTS)
        # By number: a random target for each would leave some tasks idle and give others many.
        parts = parts.partitionBy(n_parts, int).mapPartitionsWithIndex(
            lambda number, held: [(number, _merged(merge, held))]
        )
    return _merged(merge, parts.collect())


def map_here(work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> list[Result]:
    """Do the same in two threads: Arrow, BLAS and Pillow work without the lock of Python.

    With one thread of BLAS for each: where they had two, the statistics of a PCA took an eighth
    longer.
    """
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(_N_THREADS) as pool:
        return list(pool.map(work, _shares(items, _N_THREADS)))


def _in_tasks(
    spark: GetSpark, work: Callable[[Sequence[Item]], Result], items: Sequence[Item]
) -> "RDD[tuple[int, Result]]":
    """Return the result of each share with its number, one to a partition."""
    context = spark()
    shares = _shares(items, _SHARES_PER_SLOT * n_task_slots(context))

    def task(numbered: tuple[int, Sequence[Item]]) -> tuple[int, Result]:
        forget_zip_directories()
        number, share = numbered
        return number, work(share)

    return context.parallelize(list(enumerate(shares)), len(shares)).map(task)


def _shares(items: Sequence[Item], n_most: int) -> list[Sequence[Item]]:
    """Deal the items like cards, for neighbours are alike; of nothing there is one empty share."""
    n_shares = max(1, min(len(items), n_most))
    return [items[first::n_shares] for first in range(n_shares)]


def _merged(
    merge: Callable[[Result, Result], Result], parts: Iterable[tuple[int, Result]]
) -> Result:
    in_order = sorted(parts, key=lambda part: part[0])
    return reduce(merge, (result for _, result in in_order))


def forget_zip_directories() -> None:
    """Drop the cached importers of zip files, so that their directories are not read again.

    From Python 3.10 on, invalidating the caches reads the directory of every zip on the path:
    those of PySpark have thousands of entries.  An importer is made anew when an import needs it.
    """
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]


def freeze_loaded_modules() -> None:
    """Keep the garbage collector from visiting modules and the engine: they stay to the end."""
    gc.collect()
    gc.freeze()
