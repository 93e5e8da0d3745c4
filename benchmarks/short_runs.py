"""What a few hundred photographs cost: the fixed part of a run, and a plain script beside it."""

import shutil
import sys
import time
from pathlib import Path

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.processes import run_program
from benchmarks.product import featurize, fruits, run_chain
from benchmarks.workbench import ALPHA, Workbench, each, echo, median_ratio

FIXED_TARGET = at_most(8, "s")
NOTHING_NEW_TARGET = at_most(6, "s")
HELP_TARGET = at_most(0.5, "s")
PLAIN_TARGET = at_least(1)


def measure(bench: Workbench) -> list[Figure]:
    """Time whole processes: the chain, the chain with nothing new, help, and featurizing."""
    return [*_chain(bench), _help(bench), *_beside_plain_script(bench)]


def _chain(bench: Workbench) -> list[Figure]:
    images, n_images = bench.some_images(bench.sizes.n_few_images), bench.sizes.n_few_images
    output = bench.runs / "short"
    cold = _run(bench, images, output, network_is_kept=False)
    seconds, again = [], []
    for number in range(bench.sizes.rounds):
        echo(f"short runs: {n_images} photographs, round {number}")
        seconds.append(_run(bench, images, output))
        again.append(_run(bench, images, output, afresh=False))
    echo("short runs: the steady speed")
    steady = featurize(
        str(bench.images()), bench.runs / "steady", *bench.network(), environment=bench.cache()
    ).images_per_second_steady
    fixed = [each - n_images / steady for each in seconds]
    return [
        Figure(
            f"fixed cost of `fruits run`: {n_images} photographs of 100 px, whole process, less "
            "the time that as many take once running",
            FIXED_TARGET,
            min(fixed),
            f"whole process {each(seconds, 's')}, {steady:.0f} images/s once running; the first "
            f"run with a network, which TensorFlow converts, {cold:.1f} s",
        ),
        Figure(
            "`fruits run` with nothing new, whole process",
            NOTHING_NEW_TARGET,
            min(again),
            f"{each(again, 's')}; no Spark is started",
        ),
    ]


def _run(
    bench: Workbench,
    images: Path,
    output: Path,
    *,
    afresh: bool = True,
    network_is_kept: bool = True,
) -> float:
    if afresh:
        shutil.rmtree(output, ignore_errors=True)
    if not network_is_kept:
        shutil.rmtree(bench.cache()["FRUITS_CACHE"], ignore_errors=True)
    return run_chain(images, output, *bench.network(), environment=bench.cache())


def _help(bench: Workbench) -> Figure:
    seconds = []
    for _ in range(bench.sizes.rounds + 1):
        started = time.monotonic()
        run_program([str(fruits()), "--help"])
        seconds.append(time.monotonic() - started)
    return Figure(
        "`fruits --help`", HELP_TARGET, min(seconds), f"{each(seconds, 's', digits=2)} (rounds)"
    )


def _beside_plain_script(bench: Workbench) -> list[Figure]:
    return [_beside(bench, n_images) for n_images in bench.sizes.n_images_of_plain_script]


def _beside(bench: Workbench, n_images: int) -> Figure:
    images = bench.some_images(n_images)
    plain, ours = [], []
    for number in range(bench.sizes.rounds):
        echo(f"{n_images} photographs, round {number}: a plain script, then fruits featurize")
        started = time.monotonic()
        arguments = ["--images", str(images), "--weights", str(bench.weights())]
        arguments += ["--alpha", str(ALPHA), "--output", str(bench.runs / "plain")]
        run_program([sys.executable, "-m", "benchmarks.plain_script", *arguments])
        plain.append(time.monotonic() - started)
        run = featurize(
            str(images), bench.runs / "beside", *bench.network(), environment=bench.cache()
        )
        ours.append(run.seconds)
    return Figure(
        f"`fruits featurize` over a plain Keras script, {n_images:,} photographs of 100 px, whole "
        "process",
        PLAIN_TARGET,
        median_ratio(plain, ours),
        f"plain {each(plain, 's')}, fruits {each(ours, 's')}",
    )
