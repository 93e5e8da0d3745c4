"""How long it takes to list a large folder, and that the driver needs little memory for it."""

import argparse
import json
import shutil
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, at_most
from benchmarks.processes import run_module
from benchmarks.product import MASTER
from benchmarks.workbench import Workbench, say
from spark_assets.chain.listing import list_photographs
from spark_assets.errors import FruitsError
from spark_assets.images.naming import LabelRule
from spark_assets.locations import parse_location
from spark_assets.session import start_session

DRIVER_HEAP_MIB = 2048
TARGET = at_most(60, "s")


def measure(bench: Workbench) -> list[Figure]:
    """List in a process of its own, whose driver heap is that of every local run."""
    tree, output = bench.listed_tree(), bench.runs / "listing"
    say(f"listing: {bench.sizes.n_listed_files} files")
    listed = run_module("listing", ["--images", str(tree), "--output", str(output)])
    if listed["n_images"] != bench.sizes.n_listed_files:
        raise FruitsError(f"{listed['n_images']} of {bench.sizes.n_listed_files} files were listed")
    if listed["driver_heap_mib"] > DRIVER_HEAP_MIB:
        raise FruitsError(f"the driver had a heap of {listed['driver_heap_mib']:.0f} MiB, not 2 GB")
    return [
        Figure(
            f"listing a folder of {bench.sizes.n_listed_files:,} files, driver heap 2 GB",
            TARGET,
            listed["seconds"],
            f"{listed['seconds']:.1f} s to a table of all of them on storage, Spark started; "
            f"driver heap at most {listed['driver_heap_mib']:.0f} MiB",
        )
    ]


def list_tree(images: str, output: Path) -> dict[str, float]:
    """List as the featurize job does; return seconds, images and the size of the heap."""
    shutil.rmtree(output, ignore_errors=True)
    with start_session("listing", master=MASTER, s3=None, verbose=False) as spark:
        started = time.monotonic()
        listed = list_photographs(
            spark, parse_location(images), parse_location(str(output)), labels=LabelRule()
        )
        seconds = time.monotonic() - started
        jvm = spark.sparkContext._jvm
        assert jvm is not None
        heap_bytes: int = jvm.java.lang.Runtime.getRuntime().maxMemory()
    return {
        "seconds": seconds,
        "n_images": listed.n_images,
        "driver_heap_mib": heap_bytes / 1024**2,
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print what listing took as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.listing", description=__doc__)
    parser.add_argument("--images", required=True, help="folder to list")
    parser.add_argument("--output", type=Path, required=True, help="folder for the listing")
    arguments = parser.parse_args(argv)
    print(json.dumps(list_tree(arguments.images, arguments.output)))


if __name__ == "__main__":
    main()
