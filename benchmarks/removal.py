"""What it costs that photographs leave an output: their files are written anew without them."""

import argparse
import json
import os
import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa

from benchmarks.features_table import features_table, files_of
from benchmarks.figures import Figure, at_most
from benchmarks.photographs import SEED
from benchmarks.processes import run_module
from benchmarks.workbench import Workbench, each, echo
from spark_assets.chain.remove_rows import Rewritten, remove_rows
from spark_assets.output.commit import begin, commit
from spark_assets.output.output import FEATURES, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.runtime.spark_context import SparkOnDemand, start_context
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location
from spark_assets.storage.parquet import to_parquet

TARGET = at_most(60, "s")
_N_REMOVED = 100
_SHARE_REMOVED = 0.01
_N_COMPONENTS = 150


def measure(bench: Workbench) -> list[Figure]:
    """Remove few photographs and one in a hundred, drawn at random, from an output each time."""
    n_known, n_features = bench.sizes.n_known, bench.sizes.n_pca_features
    echo(f"inputs: features of {n_known} x {n_features}")
    features = features_table(bench.inputs, n_known, n_features)
    figures = []
    for n_removed in (min(_N_REMOVED, n_known), max(1, round(n_known * _SHARE_REMOVED))):
        seconds = []
        for _ in range(bench.sizes.rounds):
            echo(f"removal: {n_removed} of {n_known}")
            output = _output(features, bench.runs / "removal")
            arguments = ["--output", str(output), "--n-removed", str(n_removed)]
            found = run_module("removal", arguments)
            seconds.append(found["seconds"])
        figures.append(
            Figure(
                f"seconds to remove {n_removed:,} of {n_known:,} photographs, drawn at random",
                TARGET,
                max(seconds),
                f"{each(seconds, 's', digits=2)} (rounds), with reading where they are; "
                f"{found['n_files']} files of features of {found['n_bytes'] / 1e6:,.0f} MB written "
                "anew, with those of reduced rows",
            )
        )
    return figures


def remove(output: Path, n_removed: int) -> dict[str, float]:
    """Remove photographs as a run does that finds them gone; return what it took."""
    started = time.monotonic()
    start = partial(start_context, "removal", master=None, verbose=False)
    with SparkOnDemand(start) as spark:
        opened = Output.open(parse_location(str(output)))
        held = read_narrow(table_files(opened, FEATURES), schemas.FEATURES, ["path"])
        rows = np.random.default_rng(SEED).choice(held.num_rows, n_removed, replace=False)
        with begin(opened.location, "removal") as change:
            rewritten: Rewritten = remove_rows(spark, opened, change, held.take(np.sort(rows)))
            commit(change)
    seconds = time.monotonic() - started
    return {"seconds": seconds, "n_files": rewritten.n_files, "n_bytes": rewritten.n_bytes}


def _output(features: Path, folder: Path) -> Path:
    """Return an output of the features, as links, and of reduced rows."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "features").mkdir(parents=True)
    (folder / "reduced").mkdir()
    for file in files_of(features):
        os.link(file.location.base, folder / "features" / file.name)
        rows = read_narrow([file], schemas.FEATURES, ["path", "label"])
        points = pa.array([[0.5] * _N_COMPONENTS] * rows.num_rows)
        reduced = rows.select(["path", "label"]).append_column("pca_features", points)
        content = to_parquet(reduced.cast(schemas.REDUCED))
        (folder / "reduced" / file.name).write_bytes(content)
    return folder


def main(argv: Sequence[str] | None = None) -> None:
    """Print what a removal took as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.removal", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder of an output")
    parser.add_argument("--n-removed", type=int, required=True)
    parsed = parser.parse_args(argv)
    print(json.dumps(remove(parsed.output, parsed.n_removed)))


if __name__ == "__main__":
    main()
