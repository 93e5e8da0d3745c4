"""What the stacks of a configuration cost: its shape, for the functions that count."""

from functools import cache

from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig
from cdk_app.serverless.workers import plan_workers
from operations.cdk.context import read_config
from operations.costs import clusters
from operations.costs.clusters import ClusterShape
from operations.costs.prices import Prices
from operations.costs.serverless import Capacity
from spark_assets.output.cost_receipt import Cost

# The control channel of EMR, and the key; the session manager needs two more.
_N_ENDPOINTS, _N_SESSION_MANAGER_ENDPOINTS = 2, 2


def cluster_shape(config: PipelineConfig) -> ClusterShape:
    """Return the cluster of a configuration, as far as it costs anything."""
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
    """Return the cluster of ``cdk.json``, which is deployed where nobody asks for another."""
    return cluster_shape(read_config())


def serverless_capacity(config: PipelineConfig) -> Capacity:
    """Return the most that the application of a configuration has at a time."""
    workers = plan_workers(config.serverless_max_vcpus)
    n_workers = workers.n_executors + 1
    return Capacity(
        n_vcpus=n_workers * workers.n_vcpus,
        n_driver_vcpus=workers.n_vcpus,
        memory_gb=n_workers * workers.memory_gb,
        architecture=config.architecture,
        timeout_h=config.run_timeout_hours,
    )


@cache
def default_capacity() -> Capacity:
    """Return the most that the application of ``cdk.json`` has at a time."""
    return serverless_capacity(read_config())


def hourly_costs(config: PipelineConfig, prices: Prices | None = None) -> list[Cost]:
    """Return what the compute stack costs, by part, in USD per hour."""
    return clusters.hourly_costs(cluster_shape(config), prices)


def spot_savings(config: PipelineConfig, prices: Prices | None = None) -> float:
    """Return what is saved while the task nodes are on Spot, in USD per hour."""
    return clusters.spot_savings(cluster_shape(config), prices)


def n_interface_endpoints(config: PipelineConfig) -> int:
    """Return how many endpoints of the network are billed by the hour."""
    return _N_ENDPOINTS + (_N_SESSION_MANAGER_ENDPOINTS if config.session_manager else 0)
