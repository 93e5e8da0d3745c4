"""Featurization in threads of this process, where images are few: Spark takes seconds to start.

Decoding and the network release Python's lock: two threads are as fast as two Spark workers.
"""

import os
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import reduce
from operator import add

import pyarrow as pa

from spark_assets.features.engines import EngineSpec, build_engine
from spark_assets.features.partition import (
    RunSettings,
    Written,
    featurize_partition,
    partition_name,
    split_images,
)
from spark_assets.images.reading import ReadAhead
from spark_assets.runtime.progress import ProgressRecord, track
from spark_assets.runtime.signals import raise_if_interrupted


def n_threads() -> int:
    """Return how many images are featurized at a time: the cores of this process."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def featurize_in_threads(
    images: pa.Table, spec: EngineSpec, settings: RunSettings
) -> tuple[Written, ProgressRecord]:
    """Write the rows of images, `schemas.LISTED` ordered by path, as `featurize_on_spark`."""
    of_thread, done = threading.local(), deque[None]()

    def on_image() -> None:
        raise_if_interrupted()
        done.append(None)

    def work(numbered: tuple[int, pa.Table]) -> Written:
        number, partition = numbered
        if not hasattr(of_thread, "engine"):
            of_thread.engine = build_engine(spec)
            of_thread.ahead = ReadAhead.for_storage(settings.images)
        name = partition_name(settings.run_id, number)
        engine, ahead = of_thread.engine, of_thread.ahead
        return featurize_partition(settings, engine, ahead, partition, name, on_image)

    partitions = split_images(images, n_threads())
    with (
        track(lambda: len(done), n_images=images.num_rows) as progress,
        ThreadPoolExecutor(n_threads()) as pool,
    ):
        written = reduce(add, pool.map(work, enumerate(partitions)), Written())
    return written, progress
