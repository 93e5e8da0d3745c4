"""Time and cost of one run, on a cluster and on EMR Serverless."""

from dataclasses import dataclass
from functools import cache

from cdk_app.config import PipelineConfig
from cdk_app.instances import Architecture
from cdk_app.serverless.worker_sizes import GB_PER_VCPU, plan_workers
from operations.cdk.configuration import read_config
from operations.costs.cluster_costs import ClusterShape, hourly_costs, total
from operations.costs.prices import HOURS_PER_MONTH, load_prices
from operations.costs.speed import MEASURED_AT_PX, Speed, load_speed
from spark_assets.errors import FruitsError
from spark_assets.output.cost_receipt import Cost

_OBJECTS_PER_LISTING = 1000
_SECONDS_PER_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Work:
    """Photographs to process: their number, and their size on average.

    ``image_size_px`` is the side of the network's input.
    """

    n_images: int
    megapixels: float
    image_size_px: int = MEASURED_AT_PX


@dataclass(frozen=True, slots=True)
class RunEstimate:
    """Time and cost of a run.

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
        """The cost of a million images in runs of this size."""
        return self.usd * 1_000_000 / self.n_images


@dataclass(frozen=True, slots=True)
class Capacity:
    """The vCPUs that an EMR Serverless application has at most, driver included."""

    n_vcpus: int
    architecture: Architecture

    @property
    def memory_gb(self) -> int:
        return self.n_vcpus * GB_PER_VCPU

    @property
    def n_executor_vcpus(self) -> int:
        workers = plan_workers(self.n_vcpus)
        return workers.n_executors * workers.n_vcpus


@dataclass(frozen=True, slots=True)
class BilledHours:
    """Hours that AWS bills: of a vCPU, of a GB of memory, and of a GB of disk."""

    vcpu: float
    memory_gb: float
    storage_gb: float = 0.0


def serverless_capacity(config: PipelineConfig) -> Capacity:
    """Return the capacity of a configured application."""
    return Capacity(config.serverless_max_vcpus, config.architecture)


@cache
def default_capacity() -> Capacity:
    """Return the capacity of the application of ``cdk.json``."""
    return serverless_capacity(read_config())


def check_budget(usd: float, max_cost_usd: float, *, what: str) -> None:
    """Raise FruitsError if an estimate exceeds the cap; ``what`` begins the sentence."""
    if usd > max_cost_usd:
        raise FruitsError(
            f"{what} would cost about {usd:.2f} USD, and --max-cost allows {max_cost_usd:.2f}; "
            "raise it, or take fewer images or another cluster"
        )


def estimate_run(
    work: Work, shape: ClusterShape, *, is_running: bool = False, speed: Speed | None = None
) -> RunEstimate:
    """Return the estimate for a cluster, which starts for the run unless it is running already."""
    speed = speed or load_speed()
    start_s = speed.steps_start.value
    if not is_running:
        start_s += speed.cluster_start.value + speed.bootstrap.value
    report_h = _hours(work, speed, start_s, n_vcpus=shape.n_worker_vcpus)
    billed_h = report_h + shape.idle_minutes / 60
    return RunEstimate(
        work.n_images,
        report_h,
        billed_h,
        (
            *_cluster_costs(shape, billed_h),
            key_cost(billed_h),
            requests_cost(work.n_images, n_runs=1),
        ),
    )


def estimate_serverless_run(work: Work, capacity: Capacity) -> RunEstimate:
    """Return the estimate for EMR Serverless, with all of the capacity from start to end."""
    speed = load_speed()
    start_s = speed.serverless_start.value + speed.steps_start.value
    hours = _hours(work, speed, start_s, n_vcpus=capacity.n_executor_vcpus)
    return RunEstimate(
        work.n_images,
        hours,
        hours,
        (
            *_capacity_costs(capacity, hours),
            key_cost(hours),
            requests_cost(work.n_images, n_runs=1),
        ),
    )


def max_serverless_usd(capacity: Capacity, timeout_h: float) -> float:
    """Return the cost of a run that has all of its capacity until it is timed out, in USD."""
    return total(_capacity_costs(capacity, timeout_h))


def serverless_costs(billed: BilledHours, architecture: Architecture) -> tuple[Cost, ...]:
    """Return the cost of billed hours on EMR Serverless, by part."""
    prices = load_prices()
    factor = prices.serverless_arm.value if architecture is Architecture.ARM64 else 1.0
    return (
        Cost("vCPUs", billed.vcpu * prices.serverless_vcpu.value * factor),
        Cost("memory", billed.memory_gb * prices.serverless_memory.value * factor),
        Cost("disks", billed.storage_gb * prices.serverless_storage.value),
    )


def key_cost(hours: float) -> Cost:
    """Return the share of the key's monthly price."""
    return Cost("KMS key", hours * load_prices().key.value / HOURS_PER_MONTH)


def requests_cost(n_images: int, *, n_runs: int) -> Cost:
    """Return the cost of S3 requests: a GET per image, listings, and the objects written."""
    prices = load_prices()
    gets, puts = prices.get_requests.value / 1000, prices.put_requests.value / 1000
    n_puts = n_runs * load_speed().objects.value + n_images / _OBJECTS_PER_LISTING
    return Cost("S3 requests", n_images * gets + n_puts * puts)


def upload_usd(n_images: int) -> float:
    """Return the cost of the PUT requests of an upload, in USD."""
    return n_images * load_prices().put_requests.value / 1000


def stored_gb(work: Work) -> float:
    """Return the size of photographs and tables in S3."""
    speed = load_speed()
    return work.n_images * (speed.megabytes_of(work.megapixels) / 1000 + speed.tables.value)


def _hours(work: Work, speed: Speed, start_s: float, *, n_vcpus: int) -> float:
    per_image_s = (
        speed.vcpu_seconds_per_image(work.megapixels, work.image_size_px) + speed.reduction.value
    )
    busy_s = work.n_images * per_image_s / (n_vcpus * speed.efficiency.value)
    return (start_s + work.n_images * speed.listing.value + busy_s) / _SECONDS_PER_HOUR


def _cluster_costs(shape: ClusterShape, hours: float) -> list[Cost]:
    """Return the cost of a cluster for some hours, by the parts of AWS's bill."""
    usd = {cost.what: cost.usd * hours for cost in hourly_costs(shape)}
    return [
        Cost("EC2 on demand", usd["primary node"] + usd["core nodes"]),
        Cost("EC2 Spot", usd["task nodes (Spot)"]),
        *(Cost(what, usd[what]) for what in ("EMR", "disks", "VPC endpoints")),
    ]


def _capacity_costs(capacity: Capacity, hours: float) -> tuple[Cost, ...]:
    # The disk of each worker is within the 20 GB that are free.
    billed = BilledHours(capacity.n_vcpus * hours, capacity.memory_gb * hours)
    return serverless_costs(billed, capacity.architecture)
