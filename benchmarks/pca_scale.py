"""Whether a PCA of fifty times the rows costs more for each row, or more memory."""

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.features_table import features_table
from benchmarks.figures import Figure, at_most
from benchmarks.memory import WorkerMemory
from benchmarks.pca import fit_ours
from benchmarks.processes import PROJECT, last_words
from benchmarks.product import MASTER
from benchmarks.workbench import Workbench, echo
from spark_assets.errors import FruitsError
from spark_assets.runtime.spark_context import start_context

SECONDS_TARGET = at_most(1.1)
MEMORY_TARGET = at_most(1.1)
# The eigenvectors, which do not grow with the rows, are for the first to pay.
_N_COMPONENTS = 100


@dataclass(frozen=True, slots=True)
class _Fit:
    n_rows: int
    seconds: float
    peak_worker_mib: float | None


def measure(bench: Workbench) -> list[Figure]:
    """Fit few rows and many, each in a process of its own, after a fit that is not counted."""
    sizes = bench.sizes
    # As many as tasks of Spark compute too.
    few, many = (_measured(bench, n_rows) for n_rows in (sizes.n_known, sizes.n_pca_rows_many))
    names = (
        f"PCA fit on {many.n_rows:,} x {sizes.n_pca_features}, seconds a row over those of "
        f"{few.n_rows:,}",
        "the same, peak memory of a worker",
    )
    seconds = (many.seconds / many.n_rows) / (few.seconds / few.n_rows)
    both = f"{many.seconds:.1f} and {few.seconds:.1f} s"
    if few.peak_worker_mib is None or many.peak_worker_mib is None:
        memory, peaks = None, "needs /proc, which Linux has, and workers that live for a second"
    else:
        memory = many.peak_worker_mib / few.peak_worker_mib
        peaks = f"{many.peak_worker_mib:.0f} and {few.peak_worker_mib:.0f} MiB"
    return [
        Figure(names[0], SECONDS_TARGET, seconds, both),
        Figure(names[1], MEMORY_TARGET, memory, peaks),
    ]


def _measured(bench: Workbench, n_rows: int) -> _Fit:
    echo(f"inputs: features of {n_rows} x {bench.sizes.n_pca_features}")
    features = features_table(bench.inputs, n_rows, bench.sizes.n_pca_features)
    echo(f"pca: {n_rows} rows")
    n_components = min(_N_COMPONENTS, bench.sizes.n_pca_components)
    command = [sys.executable, "-m", "benchmarks.pca_scale", "--features", str(features)]
    with subprocess.Popen(
        [*command, "--n-components", str(n_components)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        with WorkerMemory(process) as memory:
            output, errors = process.communicate()
        if process.returncode != 0:
            raise FruitsError(
                f"the PCA of {n_rows} rows failed: {last_words(errors.decode(errors='replace'))}"
            )
    return _Fit(n_rows, json.loads(output), memory.peak_mib)


def main(argv: Sequence[str] | None = None) -> None:
    """Print the seconds of a fit as JSON, after one of two files to start the workers."""
    parser = argparse.ArgumentParser(prog="benchmarks.pca_scale", description=__doc__)
    parser.add_argument("--features", required=True, metavar="FOLDER")
    parser.add_argument("--n-components", type=int, required=True)
    arguments = parser.parse_args(argv)
    # As the product starts it, with workers that have loaded all that they need.
    spark = start_context("pca", master=MASTER, verbose=False)
    features = arguments.features
    fit_ours(spark, features, arguments.n_components, n_files=2)
    started = time.perf_counter()
    fit_ours(spark, features, arguments.n_components)
    seconds = time.perf_counter() - started
    spark.stop()
    print(json.dumps(seconds))


if __name__ == "__main__":
    main()
