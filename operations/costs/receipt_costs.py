"""Receipts: the cost of a cluster by the hours of its nodes, and of a run on EMR Serverless."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdk_app.instances import InstanceType
from operations.costs.cluster_costs import ClusterShape, default_cluster
from operations.costs.prices import HOURS_PER_MONTH, Figure, load_prices
from operations.costs.run_costs import (
    BilledHours,
    Capacity,
    Work,
    estimate_run,
    estimate_serverless_run,
    key_cost,
    requests_cost,
    serverless_costs,
)
from operations.costs.speed import load_speed
from spark_assets.errors import FruitsError
from spark_assets.output.cost_receipt import SERVERLESS, Cost, NodeHours, Receipt

# EMR's names.
PRIMARY, CORE, TASK = "MASTER", "CORE", "TASK"
_SPOT = "SPOT"
_MIN_BILLED = timedelta(minutes=1)
_CLUSTER_HOURS = (
    "nodes are billed from request to termination, VPC endpoints for the life of the cluster"
)
_SERVERLESS_HOURS = "the hours are those that AWS bills for the job runs"


@dataclass(frozen=True, slots=True)
class Node:
    """A node of a cluster; ``role`` and ``market`` in EMR's words, ``ended_at`` None if it runs."""

    role: str
    instance_type: str
    market: str
    disk_gb: int
    created_at: datetime
    ended_at: datetime | None

    def hours_until(self, now: datetime) -> float:
        """Return the hours billed by now, at least those of a minute."""
        return max((self.ended_at or now) - self.created_at, _MIN_BILLED) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """A cluster and all nodes it ever had."""

    cluster_id: str
    created_at: datetime
    ended_at: datetime | None
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ServerlessRecord:
    """A finished run on EMR Serverless, and the hours billed for each of its job runs."""

    name: str
    started_at: datetime
    ended_at: datetime
    billed: tuple[BilledHours, ...]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run of the chain: its start, and the images it read."""

    started_at: datetime
    n_images: int
    n_bytes: int


def cluster_receipt(
    cluster: ClusterRecord,
    runs: Sequence[FinishedRun],
    *,
    now: datetime,
    serverless_periods: Sequence[tuple[datetime, datetime | None]] = (),
) -> Receipt:
    """Return the cost of a cluster by now, for the runs that began while it existed.

    Runs that began in one of ``serverless_periods`` (start and end) belong to EMR Serverless.
    Raises FruitsError for an instance type without a price.
    """
    during = [
        run
        for run in runs_between(runs, cluster.created_at, cluster.ended_at or now)
        if not any(start <= run.started_at <= (end or now) for start, end in serverless_periods)
    ]
    prices = load_prices()
    return _receipt(
        cluster.cluster_id,
        (cluster.created_at, cluster.ended_at),
        during,
        now=now,
        node_hours=_node_hours(cluster.nodes, now),
        costs=_node_costs(cluster, now),
        estimate=estimate_run(_work(during), peak_shape(cluster.nodes)).costs if during else None,
        figures=(prices.frankfurt, prices.spot, prices.emr, prices.disk, prices.eur_per_usd),
        counted=_CLUSTER_HOURS,
    )


def serverless_receipt(
    record: ServerlessRecord, runs: Sequence[FinishedRun], capacity: Capacity, *, now: datetime
) -> Receipt:
    """Return the cost of a run on EMR Serverless by the hours that AWS bills."""
    during, prices = runs_between(runs, record.started_at, record.ended_at), load_prices()
    billed = BilledHours(
        sum(each.vcpu for each in record.billed),
        sum(each.memory_gb for each in record.billed),
        sum(each.storage_gb for each in record.billed),
    )
    hours = {
        "vCPU": billed.vcpu,
        "GB of memory": billed.memory_gb,
        "GB of disk": billed.storage_gb,
    }
    return _receipt(
        record.name,
        (record.started_at, record.ended_at),
        during,
        now=now,
        node_hours=tuple(
            NodeHours(unit, SERVERLESS, len(record.billed), n) for unit, n in hours.items()
        ),
        costs=serverless_costs(billed, capacity.architecture),
        estimate=estimate_serverless_run(_work(during), capacity).costs if during else None,
        figures=(prices.serverless_arm, prices.eur_per_usd),
        counted=_SERVERLESS_HOURS,
    )


def runs_between(runs: Sequence[FinishedRun], start: datetime, end: datetime) -> list[FinishedRun]:
    """Return the runs that began in a period and read an image."""
    return [run for run in runs if start <= run.started_at <= end and run.n_images]


def peak_shape(nodes: Sequence[Node]) -> ClusterShape:
    """Return the cluster at its largest, with the task nodes on Spot.

    Raises FruitsError for a cluster without a worker, and for an instance type without a price.
    """
    workers = [node for node in nodes if node.role != PRIMARY]
    if not workers:
        raise FruitsError(
            "the cluster has no worker node yet; wait a minute and give the same command again"
        )
    primaries = [node for node in nodes if node.role == PRIMARY] or workers
    commonest = Counter(node.instance_type for node in workers).most_common(1)[0][0]
    return ClusterShape(
        primary=_priced_type(primaries[0].instance_type),
        worker=_priced_type(commonest),
        n_core_nodes=_peak([node for node in workers if node.role == CORE]),
        n_task_nodes=_peak([node for node in workers if node.role == TASK]),
        disk_gb=max(node.disk_gb for node in nodes),
        n_endpoints=default_cluster().n_endpoints,
        idle_minutes=default_cluster().idle_minutes,
    )


def _receipt(
    name: str,
    period: tuple[datetime, datetime | None],
    runs: Sequence[FinishedRun],
    *,
    now: datetime,
    node_hours: tuple[NodeHours, ...],
    costs: Sequence[Cost],
    estimate: tuple[Cost, ...] | None,
    figures: Sequence[Figure],
    counted: str,
) -> Receipt:
    """Return a receipt; ``costs`` lack the key and the requests to S3."""
    started_at, ended_at = period
    n_images = sum(run.n_images for run in runs)
    hours = ((ended_at or now) - started_at) / timedelta(hours=1)
    return Receipt(
        cluster_id=name,
        made_at=now.isoformat(timespec="seconds"),
        started_at=started_at.isoformat(timespec="seconds"),
        ended_at=ended_at.isoformat(timespec="seconds") if ended_at else None,
        n_runs=len(runs),
        n_images=n_images,
        node_hours=node_hours,
        costs=(*costs, key_cost(hours), requests_cost(n_images, n_runs=len(runs))),
        estimate=estimate,
        eur_per_usd=load_prices().eur_per_usd.value,
        prices_read=load_prices().read,
        assumptions=(*(each.assumption for each in figures if each.assumption), counted),
    )


def _work(runs: Sequence[FinishedRun]) -> Work:
    """Return the images of some runs as those of one."""
    n_images = sum(run.n_images for run in runs)
    megabytes = sum(run.n_bytes for run in runs) / n_images / 1e6
    return Work(n_images, load_speed().megapixels_of(megabytes))


def _peak(nodes: Sequence[Node]) -> int:
    """Return the largest number of nodes at a time."""
    return max(
        (
            sum(
                each.created_at <= node.created_at
                and (each.ended_at is None or each.ended_at > node.created_at)
                for each in nodes
            )
            for node in nodes
        ),
        default=0,
    )


def _node_hours(nodes: Sequence[Node], now: datetime) -> tuple[NodeHours, ...]:
    hours: dict[tuple[str, str], list[float]] = {}
    for node in nodes:
        hours.setdefault((node.instance_type, node.market), []).append(node.hours_until(now))
    return tuple(NodeHours(*kind, len(each), sum(each)) for kind, each in sorted(hours.items()))


def _node_costs(cluster: ClusterRecord, now: datetime) -> list[Cost]:
    prices = load_prices()
    on_demand = spot = emr = disks = 0.0
    for node in cluster.nodes:
        hours, instance_type = node.hours_until(now), _priced_type(node.instance_type)
        if node.market == _SPOT:
            spot += hours * prices.on_spot(instance_type)
        else:
            on_demand += hours * prices.on_demand(instance_type)
        emr += hours * prices.emr_on_top(instance_type)
        disks += hours * node.disk_gb * prices.disk.value / HOURS_PER_MONTH
    cluster_h = ((cluster.ended_at or now) - cluster.created_at) / timedelta(hours=1)
    return [
        Cost("EC2 on demand", on_demand),
        Cost("EC2 Spot", spot),
        Cost("EMR", emr),
        Cost("disks", disks),
        Cost("VPC endpoints", cluster_h * default_cluster().n_endpoints * prices.endpoint.value),
    ]


def _priced_type(name: str) -> InstanceType:
    try:
        return InstanceType.parse(name)
    except ValueError as error:
        raise FruitsError(
            f"the cluster has a node of type {name}, which has no price here; there are prices "
            f"for {error}"
        ) from error
