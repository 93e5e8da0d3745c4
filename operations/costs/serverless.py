"""What a run on EMR Serverless takes, costs, and can cost at most."""

from dataclasses import dataclass

from cdk_app.instances import Architecture
from operations.costs.clusters import total
from operations.costs.prices import HOURS_PER_MONTH, Prices
from operations.costs.runs import (
    SECONDS_PER_HOUR,
    RunEstimate,
    Work,
    requests_cost,
    vcpu_seconds,
)
from operations.costs.speed import Speed
from spark_assets.output.cost_receipt import Cost


@dataclass(frozen=True, slots=True)
class Capacity:
    """The most that an application has at a time, and for how long a run may have it.

    Of the vCPUs the driver takes ``n_driver_vcpus``, and the executors the rest.  The disk of each
    worker is within what comes with it.
    """

    n_vcpus: int
    n_driver_vcpus: int
    memory_gb: int
    architecture: Architecture
    timeout_h: int


@dataclass(frozen=True, slots=True)
class BilledHours:
    """What AWS bills: hours of a vCPU, of a GB of memory, and of a GB of disk."""

    vcpu: float
    memory_gb: float
    storage_gb: float = 0.0


def serverless_costs(
    billed: BilledHours, architecture: Architecture, prices: Prices
) -> tuple[Cost, ...]:
    """Return what hours on EMR Serverless cost, by part."""
    of_x86 = prices.serverless_arm.value if architecture is Architecture.ARM64 else 1.0
    return (
        Cost("vCPUs", billed.vcpu * prices.serverless_vcpu.value * of_x86),
        Cost("memory", billed.memory_gb * prices.serverless_memory.value * of_x86),
        Cost("disks", billed.storage_gb * prices.serverless_storage.value),
    )


def estimate_serverless_run(
    work: Work, capacity: Capacity, prices: Prices, speed: Speed
) -> RunEstimate:
    """Estimate a run that has all of its capacity from the start of its workers to its end."""
    n_vcpus = capacity.n_vcpus - capacity.n_driver_vcpus
    busy_s = vcpu_seconds(work, speed) / (n_vcpus * speed.efficiency.value)
    start_s = speed.serverless_start.value + speed.steps_start.value
    hours = (start_s + work.n_images * speed.listing.value + busy_s) / SECONDS_PER_HOUR
    return RunEstimate(
        work.n_images,
        hours,
        hours,
        (
            *_costs(capacity, hours, prices),
            requests_cost(work.n_images, prices, n_objects=speed.objects.value),
            Cost("key", prices.key.value * hours / HOURS_PER_MONTH),
        ),
    )


def most_usd(capacity: Capacity, prices: Prices) -> float:
    """Return what a run costs that has all of its capacity until it is timed out, in USD."""
    return total(_costs(capacity, capacity.timeout_h, prices))


def _costs(capacity: Capacity, hours: float, prices: Prices) -> tuple[Cost, ...]:
    billed = BilledHours(capacity.n_vcpus * hours, capacity.memory_gb * hours)
    return serverless_costs(billed, capacity.architecture, prices)
