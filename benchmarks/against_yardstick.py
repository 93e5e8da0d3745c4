"""``fruits featurize`` beside the usual notebook pattern, whole process against whole process."""

import subprocess
import sys
import time
from pathlib import Path

from benchmarks.feature_difference import largest_difference
from benchmarks.figures import Figure, Target, at_least
from benchmarks.processes import PROJECT, last_words
from benchmarks.product import FeaturizeRun, featurize
from benchmarks.workbench import ALPHA, Workbench, each, echo, median_ratio
from spark_assets.errors import FruitsError

# What starts and ends both weighs less on more photographs.
FEW_TARGET, MANY_TARGET = at_least(6), at_least(8)
_MANY = 10_000
LARGE_TARGET = at_least(5)
# A program that runs this long is measured well enough in one go.
_LONG_S = 300


def measure_small(bench: Workbench) -> list[Figure]:
    """Measure the photographs of 100 pixels."""
    return [_small(bench, n_images) for n_images in bench.sizes.n_images_of_yardstick]


def _small(bench: Workbench, n_images: int) -> Figure:
    name = f"small-{n_images}"
    rounds = _rounds(bench, bench.some_images(n_images), name)
    apart = largest_difference(
        bench.runs / f"yardstick-{name}-0" / "features", rounds[-1][1].features_path
    )
    figure = _figure(
        f"`fruits featurize` over the usual notebook, {n_images:,} photographs of 100 px, whole "
        "process",
        MANY_TARGET if n_images >= _MANY else FEW_TARGET,
        rounds,
    )
    note = f"; features differ by at most {apart:.1g} of their standard deviation"
    return Figure(figure.name, figure.target, figure.value, figure.measured + note)


def measure_large(bench: Workbench) -> list[Figure]:
    """Measure the photographs of 12 megapixels."""
    rounds = _rounds(bench, bench.large_images(), "large")
    name = f"{bench.sizes.n_large_images:,} photographs of 12 megapixels over the usual notebook"
    return [_figure(f"{name}, whole process", LARGE_TARGET, rounds)]


def _figure(name: str, target: Target, rounds: list[tuple[float, FeaturizeRun]]) -> Figure:
    yardstick = [seconds for seconds, _ in rounds]
    ours = [run.seconds for _, run in rounds]
    n_images = rounds[0][1].n_images
    return Figure(
        name,
        target,
        median_ratio(yardstick, ours),
        f"notebook {each(yardstick, 's')} ({n_images / min(yardstick):.1f} images/s at best), "
        f"fruits {each(ours, 's')} ({n_images / min(ours):.1f} images/s)",
    )


def _rounds(bench: Workbench, images: Path, name: str) -> list[tuple[float, FeaturizeRun]]:
    rounds: list[tuple[float, FeaturizeRun]] = []
    while len(rounds) < bench.sizes.rounds:
        rounds.append(_round(bench, images, f"{name}-{len(rounds)}"))
        if rounds[-1][0] > _LONG_S:
            break
    return rounds


def _round(bench: Workbench, images: Path, name: str) -> tuple[float, FeaturizeRun]:
    """Run both once; return the seconds of the yardstick and the run of the product."""
    weights = bench.weights()
    echo(f"{name}: the usual notebook")
    seconds = _run_yardstick(
        images,
        weights,
        bench.runs / f"yardstick-{name}",
        partitions=bench.sizes.yardstick_partitions,
    )
    echo(f"{name}: fruits featurize")
    output = bench.runs / f"fruits-{name}"
    return seconds, featurize(str(images), output, *bench.network(), environment=bench.cache())


def _run_yardstick(images: Path, weights: Path, output: Path, *, partitions: int) -> float:
    command = [sys.executable, "-m", "benchmarks.yardstick"]
    command += ["--images", str(images), "--weights", str(weights), "--output", str(output)]
    command += ["--alpha", str(ALPHA), "--partitions", str(partitions)]
    output.parent.mkdir(parents=True, exist_ok=True)
    log_path = output.with_name(f"{output.name}.log")
    with log_path.open("wb") as log:
        started = time.monotonic()
        finished = subprocess.run(
            command, cwd=PROJECT, stdout=log, stderr=subprocess.STDOUT, check=False
        )
        seconds = time.monotonic() - started
    if finished.returncode != 0:
        raise FruitsError(f"the yardstick failed: {last_words(log_path.read_text())}")
    return seconds
