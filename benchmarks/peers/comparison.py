"""``fruits featurize`` beside Daft and Ray Data, whole process against whole process.

All three run the same flatbuffer and the same decoder on the same photographs, in a process of one
thread for each core, and write Parquet.  ``fruits`` also hashes each image, keeps account of those
that it rejects, and commits.
"""

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.feature_difference import largest_difference
from benchmarks.figures import Figure, NotMeasuredError, at_most
from benchmarks.limit import N_PROCESSES
from benchmarks.peers.environment import environment_of_peers, interpreter_of_peers
from benchmarks.processes import run_program
from benchmarks.product import featurize
from benchmarks.workbench import Workbench, each, echo, median_ratio
from spark_assets.errors import FruitsError

TARGET = at_most(1.0)
# The module of each below this package, and its name.
_PEERS = {"with_daft": "Daft", "with_ray": "Ray Data"}
# The same numbers in the same order: what is more is another network or other pixels.
_LARGEST_DIFFERENCE = 1e-3


@dataclass(frozen=True, slots=True)
class Round:
    """Seconds of each program, whole, and how far apart their features are."""

    ours: float
    peers: dict[str, float]
    difference: float


def measure(bench: Workbench) -> list[Figure]:
    """Run the three in turn; the first start of each, when nothing is cached, does not count."""
    sizes = bench.sizes.n_images_of_peers
    try:
        python = interpreter_of_peers(bench.programs)
    except NotMeasuredError as reason:
        return [Figure(_name(n_images), TARGET, None, str(reason)) for n_images in sizes]
    echo("peers: a first start of each")
    _round(bench, python, min(bench.sizes.n_few_images, *sizes))
    figures = []
    for n_images in sizes:
        rounds = []
        for number in range(bench.sizes.rounds):
            echo(f"peers: {n_images} photographs, round {number}")
            rounds.append(_round(bench, python, n_images))
        figures.append(peers_figure(n_images, rounds))
    return figures


def peers_figure(n_images: int, rounds: list[Round]) -> Figure:
    """Return our time over that of the peer that was faster in each round."""
    ours = [one.ours for one in rounds]
    times = ", ".join(
        f"{name} {each([one.peers[name] for one in rounds], 's')}" for name in _PEERS.values()
    )
    difference = max(one.difference for one in rounds)
    return Figure(
        _name(n_images),
        TARGET,
        median_ratio(ours, [min(one.peers.values()) for one in rounds]),
        f"fruits {each(ours, 's')}, {times}; features differ by at most {difference:.1g} of their "
        "standard deviation",
    )


def _name(n_images: int) -> str:
    return (
        f"`fruits featurize` over the faster of Daft and Ray Data, {n_images:,} photographs of "
        "100 px, whole process"
    )


def _round(bench: Workbench, python: Path, n_images: int) -> Round:
    images, model = bench.some_images(n_images), bench.narrow_model()
    seconds, difference = {}, 0.0
    ours = featurize(str(images), bench.runs / "peers" / "fruits", "--model", str(model))
    for module, name in _PEERS.items():
        output = bench.runs / "peers" / module
        seconds[name] = _run_peer(python, module, images, model / "model.tflite", output)
        apart = largest_difference(output, ours.features_path)
        if apart > _LARGEST_DIFFERENCE:
            raise FruitsError(
                f"the features of {name} differ from those of fruits by {apart:.1g} standard "
                "deviations: not the same work"
            )
        difference = max(difference, apart)
    return Round(ours.seconds, seconds, difference)


def _run_peer(python: Path, module: str, images: Path, model: Path, output: Path) -> float:
    """Return the seconds of a whole process."""
    shutil.rmtree(output, ignore_errors=True)
    command = [str(python), "-m", f"benchmarks.peers.{module}", "--images", str(images)]
    command += ["--model", str(model), "--output", str(output), "--processes", str(N_PROCESSES)]
    started = time.monotonic()
    run_program(command, environment=environment_of_peers())
    return time.monotonic() - started
