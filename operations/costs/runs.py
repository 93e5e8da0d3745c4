"""What one run takes and costs on a cluster: made for it, or running already."""

from dataclasses import dataclass

from operations.costs.clusters import ClusterShape, hourly_costs, total
from operations.costs.prices import HOURS_PER_MONTH, Prices
from operations.costs.speed import MEASURED_AT_PX, Speed
from spark_assets.output.cost_receipt import Cost

GETS_AN_IMAGE = 1
_LISTED_AT_A_TIME = 1000
SECONDS_PER_HOUR = 3600
_IMAGES_PER_MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Work:
    """Photographs to take through the chain: how many, and of what size on average.

    ``image_size_px`` is the side of the square that the network takes.
    """

    n_images: int
    megapixels: float
    image_size_px: int = MEASURED_AT_PX


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """What a run takes and costs.

    ``report_h`` is from the start to the report, ``billed_h`` to the end of the cluster; ``costs``
    are in USD for the run.
    """

    n_images: int
    report_h: float
    billed_h: float
    costs: tuple[Cost, ...]

    @property
    def usd(self) -> float:
        return total(self.costs)

    @property
    def usd_per_million(self) -> float:
        """What a million images cost, in runs of this size."""
        return per_million(self.usd, self.n_images)

    def part(self, what: str) -> float:
        return total(cost for cost in self.costs if cost.what == what)


def estimate_run(
    work: Work,
    shape: ClusterShape,
    prices: Prices,
    speed: Speed,
    *,
    is_running: bool = False,
) -> RunEstimate:
    """Estimate a run on a cluster that starts for it, or is running, and ends by itself."""
    start_s = speed.steps_start.value
    if not is_running:
        start_s += speed.cluster_start.value + speed.bootstrap.value
    busy_s = vcpu_seconds(work, speed) / (shape.n_worker_vcpus * speed.efficiency.value)
    report_h = (start_s + work.n_images * speed.listing.value + busy_s) / SECONDS_PER_HOUR
    billed_h = report_h + shape.idle_minutes / 60
    return RunEstimate(
        work.n_images,
        report_h,
        billed_h,
        (
            *cluster_costs(shape, billed_h, prices),
            requests_cost(work.n_images, prices, n_objects=speed.objects.value),
        ),
    )


def cluster_costs(shape: ClusterShape, hours: float, prices: Prices) -> list[Cost]:
    """Return what a cluster costs in some hours, by the parts of a bill."""
    by_the_hour = {cost.what: cost.usd * hours for cost in hourly_costs(shape, prices)}
    return [
        Cost("EC2 on demand", by_the_hour["primary node"] + by_the_hour["core nodes"]),
        Cost("EC2 Spot", by_the_hour["task nodes (Spot)"]),
        *(Cost(what, by_the_hour[what]) for what in ("EMR", "disks", "endpoints")),
        Cost("key", prices.key.value * hours / HOURS_PER_MONTH),
    ]


def requests_cost(n_images: int, prices: Prices, *, n_objects: float) -> Cost:
    """Return what the requests to S3 of a run cost: it reads the images and writes its objects."""
    gets, puts = prices.get_requests.value / 1000, prices.put_requests.value / 1000
    n_listings = n_images / _LISTED_AT_A_TIME
    return Cost("S3 requests", n_images * GETS_AN_IMAGE * gets + (n_objects + n_listings) * puts)


def upload_cost(n_images: int, prices: Prices) -> float:
    """Return what the requests cost that put the images into S3, once, in USD."""
    return n_images * prices.put_requests.value / 1000


def stored_gb(work: Work, speed: Speed) -> float:
    """Return what photographs and tables take in S3."""
    photograph_gb = speed.megabytes_of(work.megapixels) / 1000
    return work.n_images * (photograph_gb + speed.tables.value)


def per_million(usd: float, n_images: int) -> float:
    """Return what a million images cost where so many cost ``usd``."""
    return usd * _IMAGES_PER_MILLION / n_images


def vcpu_seconds(work: Work, speed: Speed) -> float:
    """Return how long one vCPU works on all images."""
    featurize_s = speed.vcpu_seconds_per_image(work.megapixels, work.image_size_px)
    return work.n_images * (featurize_s + speed.reduction.value)
