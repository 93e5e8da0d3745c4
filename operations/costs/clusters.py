"""What a cluster costs per hour, by part: pure functions of its shape and of prices."""

from collections.abc import Iterable
from dataclasses import dataclass

from cdk_app.instances import InstanceType
from operations.costs.prices import HOURS_PER_MONTH, Prices, load_prices
from spark_assets.output.cost_receipt import Cost


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """One primary node and its workers: core nodes on demand, task nodes on Spot.

    ``disk_gb`` is that of one node, for system and work; ``idle_minutes`` is how long the cluster
    waits for more work before it ends by itself.
    """

    primary: InstanceType
    worker: InstanceType
    n_core_nodes: int
    n_task_nodes: int
    disk_gb: int
    n_endpoints: int
    idle_minutes: int

    @property
    def n_workers(self) -> int:
        return self.n_core_nodes + self.n_task_nodes

    @property
    def n_worker_vcpus(self) -> int:
        """How many images the cluster works on at a time."""
        return self.n_workers * self.worker.n_vcpus


def hourly_costs(shape: ClusterShape, prices: Prices | None = None) -> list[Cost]:
    """Return what a cluster and its endpoints cost, by part, in USD per hour.

    Requests, flow logs, data between zones and taxes are not in it.
    """
    prices = prices or load_prices()
    primary, worker = shape.primary, shape.worker
    disks_gb = (1 + shape.n_workers) * shape.disk_gb
    return [
        Cost("primary node", prices.on_demand(primary)),
        Cost("core nodes", shape.n_core_nodes * prices.on_demand(worker)),
        Cost("task nodes (Spot)", shape.n_task_nodes * prices.on_spot(worker)),
        Cost("EMR", prices.emr_on_top(primary) + shape.n_workers * prices.emr_on_top(worker)),
        Cost("disks", disks_gb * prices.disk.value / HOURS_PER_MONTH),
        Cost("endpoints", shape.n_endpoints * prices.endpoint.value),
    ]


def spot_savings(shape: ClusterShape, prices: Prices | None = None) -> float:
    """Return what is saved while the task nodes are on Spot, in USD per hour."""
    prices = prices or load_prices()
    return shape.n_task_nodes * (prices.on_demand(shape.worker) - prices.on_spot(shape.worker))


def monthly_costs_at_rest(*, stored_gb: float = 100, prices: Prices | None = None) -> list[Cost]:
    """Return what the data stack costs, by part, in USD a month."""
    prices = prices or load_prices()
    return [
        Cost("key", prices.key.value),
        Cost(f"storage of {stored_gb:g} GB", stored_gb * prices.storage.value),
    ]


def total(costs: Iterable[Cost]) -> float:
    """Return the sum of costs for the same time, in USD."""
    return sum(cost.usd for cost in costs)
