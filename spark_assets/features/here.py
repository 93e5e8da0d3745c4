"""Featurization in threads of this process, where images are few: Spark takes seconds to start.

Decoding and the network work without the lock of Python: two threads are as fast as two workers.
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
    featurize_share,
    share_name,
    shares_of,
)
from spark_assets.images.reading import ReadAhead
from spark_assets.runtime.progress import ProgressRecord, track
from spark_assets.runtime.signals import raise_if_interrupted


def n_threads_here() -> int:
    """Return how many images are featurized at a time."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def featurize_here(
    images: pa.Table, spec: EngineSpec, settings: RunSettings
) -> tuple[Written, ProgressRecord]:
    """Write the rows of images, `schemas.LISTED` ordered by path, as `featurize_on_spark` does."""
    own, done = threading.local(), deque[None]()

    def on_image() -> None:
        raise_if_interrupted()
        done.append(None)

    def work(numbered: tuple[int, pa.Table]) -> Written:
        number, share = numbered
        if not hasattr(own, "engine"):
            own.engine, own.ahead = build_engine(spec), ReadAhead.of(settings.images)
        name = share_name(settings.run_id, number)
        return featurize_share(settings, own.engine, own.ahead, share, name, on_image)

    n_threads = n_threads_here()
    shares = shares_of(images, n_threads)
    with (
        track(lambda: len(done), n_images=images.num_rows) as progress,
        ThreadPoolExecutor(n_threads) as pool,
    ):
        written = reduce(add, pool.map(work, enumerate(shares)), Written())
    return written, progress
