"""Measure everything and write the table: ``python -m benchmarks --output FOLDER``."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks import (
    against_yardstick,
    daily,
    first_minute,
    listing_speed,
    pca,
    pca_scale,
    plain_processes,
    planning,
    removal,
    scale,
    short_runs,
    slow_storage,
)
from benchmarks.figures import Figure, describe_machine, markdown_table
from benchmarks.peers import comparison
from benchmarks.workbench import FULL, QUICK, Workbench, echo
from spark_assets.errors import ExitCode, FruitsError

BENCHMARKS: dict[str, Callable[[Workbench], list[Figure]]] = {
    "short": short_runs.measure,
    "small": against_yardstick.measure_small,
    "plain": plain_processes.measure,
    "peers": comparison.measure,
    "scale": scale.measure,
    "slow-storage": slow_storage.measure,
    "large": against_yardstick.measure_large,
    "pca": pca.measure,
    "pca-scale": pca_scale.measure,
    "listing": listing_speed.measure,
    "planning": planning.measure,
    "daily": daily.measure,
    "removal": removal.measure,
    "first-minute": first_minute.measure,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the benchmarks that are asked for; return the exit code.

    A target that is missed is a line of the table and no failure; a program that fails is one.
    """
    arguments = _parse_arguments(argv)
    bench = Workbench(
        folder=(arguments.work or arguments.output / "work").resolve(),
        sizes=QUICK if arguments.quick else FULL,
    )
    arguments.output.mkdir(parents=True, exist_ok=True)
    figures: list[Figure] = []
    failed = False
    started = time.monotonic()
    for name in arguments.only or BENCHMARKS:
        try:
            figures.extend(BENCHMARKS[name](bench))
        except FruitsError as error:
            failed = True
            echo(f"{name} failed: {error}")
        _write(arguments.output, figures, quick=arguments.quick)
    echo(f"measured in {(time.monotonic() - started) / 60:.0f} min")
    print(_page(figures, quick=arguments.quick))
    return ExitCode.FAILED if failed else ExitCode.DONE


def _write(output: Path, figures: Sequence[Figure], *, quick: bool) -> None:
    """Write what is measured so far, so that a later failure loses nothing."""
    (output / "benchmarks.md").write_text(_page(figures, quick=quick))
    values = [asdict(figure) for figure in figures]
    (output / "benchmarks.json").write_text(json.dumps(values, indent=2) + "\n")


def _page(figures: Sequence[Figure], *, quick: bool) -> str:
    warning = "Sizes of a smoke run: these figures mean nothing.\n\n" if quick else ""
    return f"{warning}{describe_machine()}\n\n{markdown_table(figures)}"


def _parse_arguments(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the table")
    parser.add_argument(
        "--work", type=Path, help="folder for inputs, kept for the next time (default OUTPUT/work)"
    )
    parser.add_argument(
        "--only", action="append", choices=list(BENCHMARKS), help="measure this; may be repeated"
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that all runs")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
