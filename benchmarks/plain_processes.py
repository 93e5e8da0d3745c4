"""What is left of the speed of plain processes: whole runs beside a process a core without Spark.

Unlike a multiple of the notebook, this does not depend on how far the processor lets the two be
apart.
"""

import shutil
import statistics

from benchmarks.figures import Figure, at_least
from benchmarks.limit import measure_limit
from benchmarks.product import featurize, run_chain
from benchmarks.workbench import Workbench, each, echo

FEATURIZE_TARGET = at_least(0.85)
CHAIN_TARGET = at_least(0.8)


def measure(bench: Workbench) -> list[Figure]:
    """Measure at each size, with the limit before, between and after the two commands."""
    return [
        figure
        for n_images in bench.sizes.n_images_of_plain_processes
        for figure in _measure(bench, n_images)
    ]


def _measure(bench: Workbench, n_images: int) -> list[Figure]:
    images, model, output = bench.some_images(n_images), bench.model(), bench.runs / "plain-chain"
    options = ("--model", str(model))

    def limit() -> float:
        echo(f"plain processes: {n_images} photographs, the limit")
        return measure_limit(images, model / "model.tflite", limit=2 * bench.sizes.n_images)

    limits = [limit()]
    echo(f"plain processes: {n_images} photographs, fruits featurize")
    featurized_s = featurize(str(images), bench.runs / "plain-featurize", *options).seconds
    limits.append(limit())
    echo(f"plain processes: {n_images} photographs, fruits run")
    shutil.rmtree(output, ignore_errors=True)
    chain_s = run_chain(images, output, *options)
    limits.append(limit())
    return share_figures(n_images, limits, featurized_s=featurized_s, chain_s=chain_s)


def share_figures(
    n_images: int, limits: list[float], *, featurized_s: float, chain_s: float
) -> list[Figure]:
    """Return images/s of whole processes over those of plain ones, by the limits on both sides."""
    return [
        Figure(
            f"images/s of `{command}`, {n_images:,} photographs of 100 px, whole process, over "
            "plain processes once running",
            target,
            n_images / seconds / statistics.mean(sides),
            f"{n_images / seconds:.1f} images/s in {seconds:.1f} s; plain processes "
            f"{each(sides, 'images/s')} before and after",
        )
        for command, target, seconds, sides in (
            ("fruits featurize", FEATURIZE_TARGET, featurized_s, limits[:2]),
            ("fruits run", CHAIN_TARGET, chain_s, limits[1:]),
        )
    ]
