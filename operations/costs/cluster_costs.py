"""Cost of a cluster per hour, and of the data stack per month, by part."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig
from cdk_app.instances import InstanceType
from operations.cdk.configuration import read_config
from operations.costs.prices import HOURS_PER_MONTH, load_prices
from spark_assets.output.cost_receipt import Cost

# EMR's control channel and KMS; the session manager needs two more.
_N_ENDPOINTS, _N_SESSION_MANAGER_ENDPOINTS = 2, 2


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """One primary node and its workers: core nodes on demand, task nodes on Spot.

    ``disk_gb`` is that of one node; ``idle_minutes`` pass without work before the cluster ends.
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
        return self.n_workers * self.worker.n_vcpus


def cluster_shape(config: PipelineConfig) -> ClusterShape:
    """Return the parts of a configured cluster that cost anything."""
    return ClusterShape(
        primary=config.primary_instance_type,
        worker=config.worker_instance_type,
        n_core_nodes=config.n_core_nodes,
        n_task_nodes=config.n_task_nodes,
        disk_gb=ROOT_VOLUME_GIB + config.node_volume_gib,
        n_endpoints=n_interface_endpoints(config),
        idle_minutes=config.idle_timeout_minutes,
    )


@cache
def default_cluster() -> ClusterShape:
    """Return the cluster of ``cdk.json``."""
    return cluster_shape(read_config())


def n_interface_endpoints(config: PipelineConfig) -> int:
    """Return the number of endpoints that are billed by the hour."""
    return _N_ENDPOINTS + (_N_SESSION_MANAGER_ENDPOINTS if config.session_manager else 0)


def hourly_costs(shape: ClusterShape) -> list[Cost]:
    """Return the cost of a cluster and its endpoints in USD per hour, by part.

    Without requests, flow logs, traffic between zones and taxes.
    """
    prices, primary, worker = load_prices(), shape.primary, shape.worker
    disks_gb = (1 + shape.n_workers) * shape.disk_gb
    return [
        Cost("primary node", prices.on_demand(primary)),
        Cost("core nodes", shape.n_core_nodes * prices.on_demand(worker)),
        Cost("task nodes (Spot)", shape.n_task_nodes * prices.on_spot(worker)),
        Cost("EMR", prices.emr_on_top(primary) + shape.n_workers * prices.emr_on_top(worker)),
        Cost("disks", disks_gb * prices.disk.value / HOURS_PER_MONTH),
        Cost("VPC endpoints", shape.n_endpoints * prices.endpoint.value),
    ]


def spot_savings(shape: ClusterShape) -> float:
    """Return what task nodes on Spot save, in USD per hour."""
    prices = load_prices()
    return shape.n_task_nodes * (prices.on_demand(shape.worker) - prices.on_spot(shape.worker))


def monthly_costs_at_rest(*, stored_gb: float = 100) -> list[Cost]:
    """Return the cost of the data stack in USD per month: the key, and storage."""
    prices = load_prices()
    return [
        Cost("KMS key", prices.key.value),
        Cost(f"storage of {stored_gb:g} GB", stored_gb * prices.storage.value),
    ]


def total(costs: Iterable[Cost]) -> float:
    """Return the sum of costs for the same time, in USD."""
    return sum(cost.usd for cost in costs)
