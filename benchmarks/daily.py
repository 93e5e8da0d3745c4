"""What a day costs: 100 new photographs among 100,000 known ones, beside 100 alone."""

import os
import shutil
from pathlib import Path

from benchmarks.figures import Figure, at_most
from benchmarks.product import run_chain
from benchmarks.workbench import Workbench, each, echo

SECONDS_TARGET = at_most(3, "s")


def measure(bench: Workbench) -> list[Figure]:
    """Run the chain on the known ones, then in turn on the new ones among them and alone.

    Of the features of the known ones, no more than narrow columns is read.
    """
    n_known, n_new = bench.sizes.n_known, bench.sizes.n_new
    options = ("--model", str(bench.narrow_model()))
    photographs, output = bench.runs / "daily photographs", bench.runs / "daily"
    shutil.rmtree(photographs, ignore_errors=True)
    shutil.rmtree(output, ignore_errors=True)
    files = sorted(bench.images().rglob("*.jpg"))
    _link(files, photographs / "known", n_known)
    echo(f"daily: {n_known} images, to be known")
    run_chain(photographs, output, *options)
    among, alone = [], []
    for day in range(bench.sizes.rounds):
        new = photographs / f"day {day}"
        _link(files[day:], new, n_new)
        echo(f"daily: {n_new} new images among {n_known}, and alone")
        among.append(run_chain(photographs, output, *options))
        alone_output = bench.runs / "daily alone"
        shutil.rmtree(alone_output, ignore_errors=True)
        alone.append(run_chain(new, alone_output, *options))
    differences = [more - less for more, less in zip(among, alone, strict=True)]
    return [
        Figure(
            f"seconds for {n_new} new images among {n_known:,} known ones, more than for "
            f"{n_new} alone",
            SECONDS_TARGET,
            max(differences),
            f"whole process {each(among, 's')} over {each(alone, 's')}, with PCA and report",
        )
    ]


def _link(files: list[Path], folder: Path, n: int) -> None:
    """Make n photographs of some, as links: each is a file of its own name."""
    for index in range(n):
        label = folder / f"fruit {index % 50:02d}"
        if index < 50:
            label.mkdir(parents=True)
        os.link(files[index % len(files)], label / f"{index:06d}.jpg")
