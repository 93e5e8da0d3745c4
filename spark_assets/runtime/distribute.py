"""A function of a share of files or rows, run in Spark tasks for many rows, else in threads.

Tasks get names only, and read and write files themselves: no table passes through the JVM.
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

# Two threads featurize so many photographs within a minute, and fit a PCA to their features while
# Spark starts.  With 16 cores, contention for the GIL takes as long by then as Spark's start.
_MAX_ROWS_HERE = 50_000
# A thread may take 300 MB, for the largest allowed image.
_N_THREADS = 2
# With one, the slowest slot delays the end.  With four, the PCA statistics of 35,000 images took a
# fifth longer, because those of each share are 13 MB to send and merge.
_SHARES_PER_SLOT = 2
# The maximum that the driver merges, and that one task merges.
_MAX_PARTS = 32
_FAN_IN = 8


def is_for_spark(n_rows: int) -> bool:
    """Return whether so many images or rows of features are worth Spark."""
    return n_rows > _MAX_ROWS_HERE


def map_shares(
    spark: GetSpark,
    work: Callable[[Sequence[Item]], Result],
    items: Sequence[Item],
    *,
    n_rows: int,
) -> list[Result]:
    """Return the result of ``work`` for each share of the items.

    ``n_rows`` is the number of rows behind the items.  ``work`` is idempotent, for Spark may retry
    a task.
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
    """Return the merged results of `map_shares`; tasks merge many shares in a tree.

    Results are merged in the order of the shares, so that a rerun gives the same digits.
    """
    if not is_for_spark(n_rows):
        return reduce(merge, map_here(work, items))
    parts = _in_tasks(spark, work, items)
    n_parts = parts.getNumPartitions()
    while n_parts > _MAX_PARTS:
        n_parts = max(-(-n_parts // _FAN_IN), _MAX_PARTS)
        # By number: with random targets, some tasks would be idle and others have many.
        parts = parts.partitionBy(n_parts, int).mapPartitionsWithIndex(
            lambda number, held: [(number, _merged(merge, held))]
        )
    return _merged(merge, parts.collect())


def map_here(work: Callable[[Sequence[Item]], Result], items: Sequence[Item]) -> list[Result]:
    """Return the result of ``work`` for each share, in two threads.

    Arrow, BLAS and Pillow release the GIL.  BLAS has one thread for each: with two, the statistics
    of a PCA took an eighth longer.
    """
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(_N_THREADS) as pool:
        return list(pool.map(work, _shares(items, _N_THREADS)))


def _in_tasks(
    spark: GetSpark, work: Callable[[Sequence[Item]], Result], items: Sequence[Item]
) -> "RDD[tuple[int, Result]]":
    """Return the number and result of each share, one per partition."""
    context = spark()
    shares = _shares(items, _SHARES_PER_SLOT * n_task_slots(context))

    def task(numbered: tuple[int, Sequence[Item]]) -> tuple[int, Result]:
        forget_zip_directories()
        number, share = numbered
        return number, work(share)

    return context.parallelize(list(enumerate(shares)), len(shares)).map(task)


def _shares(items: Sequence[Item], n_most: int) -> list[Sequence[Item]]:
    """Deal the items round-robin, for neighbours are alike; at least one share, maybe empty."""
    n_shares = max(1, min(len(items), n_most))
    return [items[first::n_shares] for first in range(n_shares)]


def _merged(
    merge: Callable[[Result, Result], Result], parts: Iterable[tuple[int, Result]]
) -> Result:
    in_order = sorted(parts, key=lambda part: part[0])
    return reduce(merge, (result for _, result in in_order))


def forget_zip_directories() -> None:
    """Drop the cached importers of zip files.

    Between tasks a PySpark worker invalidates the import caches, which reads the directory of every
    zip on the path (those of PySpark have thousands of entries), and collects garbage.  Together
    they took 0.1 s of CPU per task, as much as fifty images.
    """
    for path, importer in list(sys.path_importer_cache.items()):
        if isinstance(importer, zipimport.zipimporter):
            del sys.path_importer_cache[path]


def freeze_loaded_modules() -> None:
    """Exclude the loaded modules and the engine from the garbage collection after each task."""
    gc.collect()
    gc.freeze()
