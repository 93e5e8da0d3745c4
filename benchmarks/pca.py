"""Fitting the PCA: ours and MLlib's from the same Parquet in the same session, numpy in memory."""

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import threadpoolctl  # type: ignore[import-untyped]
from numpy.typing import NDArray
from pyspark import SparkContext
from pyspark.ml.feature import PCA
from pyspark.ml.functions import array_to_vector
from pyspark.sql import SparkSession
from pyspark.sql.functions import col

from benchmarks.features_table import RUN_ID, features_table, files_of
from benchmarks.figures import Figure, at_least, at_most
from benchmarks.processes import run_module
from benchmarks.product import MASTER
from benchmarks.workbench import Workbench, each, echo, median_ratio
from spark_assets.chain.pca_over_files import summarize
from spark_assets.errors import FruitsError
from spark_assets.output.parquet_tables import count_rows
from spark_assets.pca.model import fit

MLLIB_TARGET = at_least(5, "x faster")
NUMPY_TARGET = at_most(1.2, "x slower")
# MLlib sums uncentred products, which costs digits: enough to tell two different answers apart.
_TOLERANCE = 1e-6

Ratios = NDArray[np.float64]


def measure(bench: Workbench) -> list[Figure]:
    """Fit in turns, in a process of their own."""
    sizes = bench.sizes
    echo(f"inputs: features of {sizes.n_pca_rows} x {sizes.n_pca_features}")
    features = features_table(bench.inputs, sizes.n_pca_rows, sizes.n_pca_features)
    echo("pca: ours, MLlib's and numpy in turns")
    arguments = ["--features", str(features), "--n-components", str(sizes.n_pca_components)]
    measured_here = run_module("pca", [*arguments, "--rounds", str(sizes.pca_rounds)])
    ours, mllib, in_memory = (measured_here[name] for name in ("ours", "mllib", "numpy"))
    shape = f"{sizes.n_pca_rows:,} x {sizes.n_pca_features}"
    measured = f"ours {each(ours, 's', digits=2)} (rounds)"
    return [
        Figure(
            f"PCA fit on {shape} from Parquet, MLlib's time over ours",
            MLLIB_TARGET,
            median_ratio(mllib, ours),
            f"{measured}, MLlib {each(mllib, 's', digits=2)}",
        ),
        Figure(
            "the same, our time over numpy in memory",
            NUMPY_TARGET,
            median_ratio(ours, in_memory),
            f"{measured}, numpy {each(in_memory, 's', digits=2)} without reading; both with "
            f"BLAS kernels for {measured_here['blas_kernels']}",
        ),
    ]


def run(features_path: str, *, n_components: int, n_rounds: int) -> dict[str, list[float]]:
    """Return the seconds of each round, after one that is not counted."""
    spark = pca_session()
    n_rows = pq.ParquetDataset(features_path).read(["label"]).num_rows
    matrix = _read_matrix(features_path, n_rows)
    contestants: dict[str, Callable[[], Ratios]] = {
        "ours": lambda: fit_ours(spark.sparkContext, features_path, n_components),
        "mllib": lambda: _fit_mllib(spark, features_path, n_components),
        "numpy": lambda: _fit_numpy(matrix, n_components),
    }
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(n_rounds + 1):
        answers = {}
        for name, contestant in contestants.items():
            started = time.perf_counter()
            answers[name] = contestant()
            if number > 0:
                seconds[name].append(time.perf_counter() - started)
        _check_same(answers)
    spark.stop()
    return seconds


def pca_session() -> SparkSession:
    """Start Spark as every contestant has it."""
    os.environ["PYSPARK_PYTHON"] = sys.executable
    spark = (
        SparkSession.builder.appName("pca")
        .master(MASTER)
        .config("spark.driver.memory", "4g")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.ui.enabled", "false")
        .config("spark.ui.showConsoleProgress", "false")
        .config("spark.executorEnv.OMP_NUM_THREADS", "1")
        .config("spark.executorEnv.OPENBLAS_NUM_THREADS", "1")
        .getOrCreate()
    )
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _read_matrix(features_path: str, n_rows: int) -> NDArray[np.float32]:
    values = pq.read_table(features_path, columns=["features"])["features"].combine_chunks()
    matrix: NDArray[np.float32] = values.flatten().to_numpy().reshape(n_rows, -1)
    return matrix


def fit_ours(
    context: SparkContext, features_path: str, n_components: int, *, n_files: int | None = None
) -> Ratios:
    """Return the shares of the variance that our fit finds in a features table, or some files.

    As for the table itself, whose rows decide whether it is done in tasks.
    """
    files = files_of(Path(features_path))
    n_rows = sum(count_rows(files))
    statistics = summarize(lambda: context, files[:n_files], n_rows, [RUN_ID]).statistics
    ratios: Ratios = fit(statistics, n_components).explained_variance_ratio
    return ratios[:n_components]


def _fit_mllib(spark: SparkSession, features_path: str, n_components: int) -> Ratios:
    features = spark.read.parquet(features_path)
    vectors = features.select(array_to_vector(col("features")).alias("vector"))
    model = PCA(k=n_components, inputCol="vector", outputCol="pca_features").fit(vectors)
    return np.asarray(model.explainedVariance.toArray())


def _fit_numpy(matrix: NDArray[np.float32], n_components: int) -> Ratios:
    centred = matrix.astype(np.float64)
    centred -= centred.mean(axis=0)
    variances, _ = np.linalg.eigh(centred.T @ centred / (len(centred) - 1))
    ratios: Ratios = variances[::-1][:n_components] / variances.sum()
    return ratios


def _blas_kernels() -> str:
    """Return the processor that BLAS is tuned for, which an environment variable can change."""
    libraries = threadpoolctl.threadpool_info()
    kernels = {str(lib.get("architecture")) for lib in libraries if lib["user_api"] == "blas"}
    return ", ".join(sorted(kernels)) or "an unknown processor"


def _check_same(answers: dict[str, Ratios]) -> None:
    """Raise where the contestants do not find the same variances: they would not be comparable."""
    for name, answer in answers.items():
        if not np.allclose(answer, answers["numpy"], rtol=_TOLERANCE, atol=_TOLERANCE):
            raise FruitsError(f"{name} and numpy find different variances")


def main(argv: Sequence[str] | None = None) -> None:
    """Print the seconds of every round as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.pca", description=__doc__)
    parser.add_argument("--features", required=True, help="folder of Parquet with 'features'")
    parser.add_argument("--n-components", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args(argv)
    seconds = run(
        arguments.features, n_components=arguments.n_components, n_rounds=arguments.rounds
    )
    print(json.dumps({**seconds, "blas_kernels": _blas_kernels()}))


if __name__ == "__main__":
    main()
