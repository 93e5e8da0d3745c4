"""How long it takes to list a large folder, and that the driver needs little memory for it."""

import argparse
import json
import time
from collections.abc import Sequence

from benchmarks.figures import Figure, at_most
from benchmarks.memory import own_peak_mib
from benchmarks.processes import run_module
from benchmarks.workbench import Workbench, echo
from spark_assets.errors import FruitsError
from spark_assets.images.listing import list_images
from spark_assets.storage.locations import parse_location

TARGET = at_most(60, "s")


def measure(bench: Workbench) -> list[Figure]:
    """List in a process of its own, without Spark, as every run does."""
    tree = bench.listed_tree()
    echo(f"listing: {bench.sizes.n_listed_files} files")
    listed = run_module("listing_speed", ["--images", str(tree)])
    if listed["n_images"] != bench.sizes.n_listed_files:
        raise FruitsError(f"{listed['n_images']} of {bench.sizes.n_listed_files} files were listed")
    return [
        Figure(
            f"listing a folder of {bench.sizes.n_listed_files:,} files",
            TARGET,
            listed["seconds"],
            f"{listed['seconds']:.1f} s to an Arrow table in the driver, which took at most "
            f"{listed['peak_mib']:.0f} MiB of memory",
        )
    ]


def list_tree(images: str) -> dict[str, float]:
    """List as the featurize job does; return seconds, images and the peak memory."""
    started = time.monotonic()
    listed = list_images(parse_location(images))
    return {
        "seconds": time.monotonic() - started,
        "n_images": listed.num_rows,
        "peak_mib": own_peak_mib(),
    }


def main(argv: Sequence[str] | None = None) -> None:
    """Print what listing took as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.listing_speed", description=__doc__)
    parser.add_argument("--images", required=True, help="folder to list")
    arguments = parser.parse_args(argv)
    print(json.dumps(list_tree(arguments.images)))


if __name__ == "__main__":
    main()
