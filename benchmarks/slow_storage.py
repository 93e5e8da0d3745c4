"""What storage far away costs: the same photographs from S3 with 20 ms added to every request."""

from pathlib import Path

from benchmarks.figures import Figure, NotMeasuredError, at_least
from benchmarks.product import FeaturizeRun, featurize
from benchmarks.s3_server import S3Endpoint, s3_endpoints
from benchmarks.workbench import Workbench, each, echo, median_ratio

DELAY_MS = 20.0
TARGET = at_least(0.9)
_NAME = f"images/s with {DELAY_MS:g} ms added to every read, over without"


def measure(bench: Workbench) -> list[Figure]:
    """Featurize from S3 in turns, near and far."""
    images, model = bench.images(), bench.model()
    near: list[float] = []
    far: list[float] = []
    try:
        with s3_endpoints(images.parent, (0.0, DELAY_MS), bin_dir=bench.programs) as endpoints:
            for number in range(bench.sizes.rounds):
                for endpoint, speeds, name in zip(
                    endpoints, (near, far), ("near", "far"), strict=True
                ):
                    echo(f"slow storage: {name}, round {number + 1}")
                    run = _featurize(bench, images, model, endpoint, f"s3-{name}-{number}")
                    speeds.append(run.images_per_second)
    except NotMeasuredError as reason:
        return [Figure(_NAME, TARGET, None, str(reason))]
    return [
        Figure(
            _NAME,
            TARGET,
            median_ratio(far, near),
            f"{each(far, 'images/s')} over {each(near, 'images/s')}, {bench.sizes.n_images:,} "
            "photographs of 100 px in S3 on this machine, featurizing stage from its start",
        )
    ]


def _featurize(
    bench: Workbench, images: Path, model: Path, endpoint: S3Endpoint, name: str
) -> FeaturizeRun:
    return featurize(
        f"s3://{images.name}",
        bench.runs / name,
        "--model",
        str(model),
        environment=endpoint.environment(),
    )
