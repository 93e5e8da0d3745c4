"""The limit: what the cores of this machine give without Spark, by the same model and decoder.

One plain Python process per core reads, decodes and runs LiteRT on one thread.  The processes
start, warm up and wait for each other; only then the clock runs.
"""

import argparse
import json
import multiprocessing
import time
from collections.abc import Sequence
from pathlib import Path
from threading import Barrier

from benchmarks.plain_featurizer import PlainFeaturizer
from benchmarks.processes import run_module

N_PROCESSES = 2
_N_WARM_UP_IMAGES = 32


def measure_limit(images: Path, model: Path, *, limit: int | None = None) -> float:
    """Return images per second of all processes together, measured in processes of their own."""
    arguments = ["--images", str(images), "--model", str(model)]
    if limit is not None:
        arguments += ["--limit", str(limit)]
    # One thread each, as the engines of the workers have; only the environment tells OpenMP.
    figures = run_module("limit", arguments, environment={"OMP_NUM_THREADS": "1"})
    return float(figures["images_per_second"])


def featurize_partition(
    paths: Sequence[str], model: str, barrier: Barrier
) -> tuple[float, float, float]:
    """Featurize images one by one.

    Returns the start and the end on a clock that all processes share, and a checksum of the
    features, so that no part of the work can be left out.
    """
    featurizer = PlainFeaturizer(model)
    for path in paths[:_N_WARM_UP_IMAGES]:
        featurizer.featurize(path)
    barrier.wait()
    started = time.monotonic()
    checksum = sum(float(featurizer.featurize(path)[0]) for path in paths)
    return started, time.monotonic(), checksum


def run(images: Path, model: Path, *, n_processes: int, limit: int | None) -> dict[str, float]:
    """Measure in this process' children; return the figures."""
    paths = sorted(str(path) for path in images.rglob("*.jpg"))[:limit]
    # A forked process would inherit the threads' locks of the libraries that are loaded here.
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(n_processes) as pool:
        barrier = manager.Barrier(n_processes)
        shares = [
            (paths[process::n_processes], str(model), barrier) for process in range(n_processes)
        ]
        results = pool.starmap(featurize_partition, shares, chunksize=1)
    started, finished, _ = zip(*results, strict=True)
    seconds = max(finished) - min(started)
    return {"images": len(paths), "seconds": seconds, "images_per_second": len(paths) / seconds}


def main(argv: Sequence[str] | None = None) -> None:
    """Print the images per second as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.limit", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of JPEG photographs")
    parser.add_argument("--model", type=Path, required=True, help="model.tflite")
    parser.add_argument("--processes", type=int, default=N_PROCESSES)
    parser.add_argument("--limit", type=int, help="use the first N images")
    arguments = parser.parse_args(argv)
    figures = run(
        arguments.images,
        arguments.model,
        n_processes=arguments.processes,
        limit=arguments.limit,
    )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
