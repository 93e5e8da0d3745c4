"""What it takes to plan a run: millions of known photographs against a listing of as many."""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq

from benchmarks.figures import Figure, at_most
from benchmarks.memory import own_peak_mib
from benchmarks.narrow_tables import narrow_tables
from benchmarks.processes import run_module
from benchmarks.workbench import Workbench, echo
from spark_assets.chain.image_plan import plan_run
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.start_run import StartedRun
from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.commit import Change
from spark_assets.output.output import Output
from spark_assets.storage.locations import parse_location

SECONDS_TARGET = at_most(60, "s")
MEMORY_TARGET = at_most(4096, "MiB")
_N_EACH = 100


def measure(bench: Workbench) -> list[Figure]:
    """Plan in a process of its own, as the driver of a run does."""
    n_known = bench.sizes.n_planned
    echo(f"inputs: what is known of {n_known} photographs, and a listing")
    tables = narrow_tables(bench.inputs, n_known, _N_EACH)
    echo(f"planning: {n_known} known")
    return planning_figures(n_known, run_module("planning", ["--tables", str(tables)]))


def planning_figures(n_known: int, planned: dict[str, float]) -> list[Figure]:
    """Return seconds and memory of a plan.  Raises FruitsError where it is not what was drawn."""
    drawn = {"n_images": 2 * _N_EACH, "n_changed": _N_EACH, "n_deleted": _N_EACH}
    found = {name: planned[name] for name in drawn}
    if found != drawn:
        raise FruitsError(f"the plan says {found}, where {drawn} were drawn")
    measured = (
        f"{planned['seconds']:.1f} s, with reading what is known; peak of the process "
        f"{planned['peak_mib']:.0f} MiB, {planned['listed_mib']:.0f} MiB with the listing alone"
    )
    return [
        Figure(
            f"{n_known:,} known images compared with a listing of as many: {_N_EACH} new, "
            f"{_N_EACH} changed, {_N_EACH} gone",
            SECONDS_TARGET,
            planned["seconds"],
            measured,
        ),
        Figure("the same, peak memory of the driver", MEMORY_TARGET, planned["peak_mib"], measured),
    ]


def plan_tables(tables: Path) -> dict[str, float]:
    """Plan a run on drawn tables; return what it says, its seconds, and the peak of this process.

    The listing is in memory when the clock begins, as it is when a run plans.
    """
    listed = pq.read_table(tables / "listed.parquet")
    listed_mib = own_peak_mib()
    run = _started_run(tables)
    started = time.monotonic()
    plan = plan_run(run, listed)
    seconds = time.monotonic() - started
    return {
        "n_images": plan.n_images,
        "n_changed": plan.n_changed,
        "n_deleted": plan.n_deleted,
        "seconds": seconds,
        "listed_mib": listed_mib,
        "peak_mib": own_peak_mib(),
    }


def _started_run(tables: Path) -> StartedRun:
    options = FeaturizeOptions(
        images=parse_location(str(tables / "images")),
        output=parse_location(str(tables)),
        image_list=None,
        model=FeatureModelRequest(),
        engine=EngineName.LITERT,
        limits=ImageLimits(),
        labels=LabelRule(),
        limit=None,
        max_rejected=0.1,
        overwrite=False,
        keep_missing=False,
        confirm_missing=False,
        verbose=False,
    )
    # A plan looks at nothing of it.
    previous: Any = SimpleNamespace()
    output = Output.open(options.output)
    change = Change(output.location, "2")
    return StartedRun("2", "", options, output, previous, change)


def main(argv: Sequence[str] | None = None) -> None:
    """Print what a plan took as JSON."""
    parser = argparse.ArgumentParser(prog="benchmarks.planning", description=__doc__)
    parser.add_argument("--tables", type=Path, required=True, help="folder of drawn tables")
    print(json.dumps(plan_tables(parser.parse_args(argv).tables)))


if __name__ == "__main__":
    main()
