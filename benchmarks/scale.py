"""What a run costs once it is running, and whether ten times the images cost more each."""

import statistics

from benchmarks.figures import Figure, at_least, at_most
from benchmarks.limit import measure_limit
from benchmarks.product import MASTER, FeaturizeRun, featurize
from benchmarks.workbench import Workbench, each, echo

LIMIT_TARGET = at_least(0.95)
MEMORY_TARGET = at_most(500, "MiB")
MEMORY_GROWTH_TARGET = at_most(1.1)
SECONDS_TARGET = at_most(1.1)


def measure(bench: Workbench) -> list[Figure]:
    """Run few and many images, with the limit right before and after the many."""
    sizes = bench.sizes
    few_images, many_images, model = bench.images(), bench.many_images(), bench.model()
    options = ("--model", str(model), "--master", MASTER)
    tflite = model / "model.tflite"

    echo(f"scale: {sizes.n_images} images")
    few = featurize(str(few_images), bench.runs / "few", *options)
    echo("scale: the limit")
    limits = [measure_limit(many_images, tflite, limit=2 * sizes.n_images)]
    echo(f"scale: {sizes.n_images_many} images")
    many = featurize(str(many_images), bench.runs / "many", *options)
    echo("scale: the limit again")
    limits.append(measure_limit(many_images, tflite, limit=2 * sizes.n_images))
    return [_over_limit(few, many, limits), *_memory(few, many), _seconds_per_image(few, many)]


def _over_limit(few: FeaturizeRun, many: FeaturizeRun, limits: list[float]) -> Figure:
    steady = many.images_per_second_steady
    # Nothing of this comes from the program that is measured: two whole processes, subtracted.
    marginal = (many.n_images - few.n_images) / (many.seconds - few.seconds)
    return Figure(
        "images/s once running over the limit (plain processes, no Spark)",
        LIMIT_TARGET,
        steady / statistics.mean(limits),
        f"{steady:.1f} images/s in the middle of {many.n_images:,} images; limit "
        f"{each(limits, 'images/s')} before and after; from outside, by the difference of two "
        f"whole processes: {marginal:.1f} images/s",
    )


def _memory(few: FeaturizeRun, many: FeaturizeRun) -> list[Figure]:
    names = ("peak resident memory of one Python worker", "the same, larger peak over smaller")
    if few.peak_worker_mib is None or many.peak_worker_mib is None:
        reason = "needs /proc, which Linux has, and workers that live for a second"
        return [
            Figure(names[0], MEMORY_TARGET, None, reason),
            Figure(names[1], MEMORY_GROWTH_TARGET, None, reason),
        ]
    peaks = [few.peak_worker_mib, many.peak_worker_mib]
    measured = f"{each(peaks, 'MiB', digits=0)} with {few.n_images:,} and {many.n_images:,} images"
    return [
        Figure(names[0], MEMORY_TARGET, max(peaks), measured),
        Figure(names[1], MEMORY_GROWTH_TARGET, max(peaks) / min(peaks), measured),
    ]


def _seconds_per_image(few: FeaturizeRun, many: FeaturizeRun) -> Figure:
    stage = few.images_per_second / many.images_per_second
    whole = (many.seconds / many.n_images) / (few.seconds / few.n_images)
    return Figure(
        f"seconds per image, {many.n_images:,} over {few.n_images:,} images",
        SECONDS_TARGET,
        stage,
        f"featurizing stage {1000 / many.images_per_second:.2f} over "
        f"{1000 / few.images_per_second:.2f} ms an image; whole process {many.seconds:.1f} and "
        f"{few.seconds:.1f} s, {whole:.2f} x an image",
    )
