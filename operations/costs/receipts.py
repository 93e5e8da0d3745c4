"""What a cluster has cost: the sums of its nodes' times, as values that are kept as JSON."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cdk_app.instances import InstanceType
from operations.costs.clusters import ClusterShape
from operations.costs.configured import default_cluster
from operations.costs.prices import HOURS_PER_MONTH, Prices
from operations.costs.runs import Work, estimate_run, requests_cost
from operations.costs.speed import Speed
from spark_assets.errors import FruitsError
from spark_assets.output.cost_receipt import Cost, NodeHours, Receipt

PRIMARY, CORE, TASK = "MASTER", "CORE", "TASK"
SPOT = "SPOT"
_MIN_BILLED = timedelta(minutes=1)
_COUNTED = (
    "a node costs from the moment it was asked for to its end, the endpoints as long as the cluster"
)


@dataclass(frozen=True, slots=True)
class Node:
    """One node, as EMR tells it: ``role`` and ``market`` are EMR's words; still there, no end."""

    role: str
    instance_type: str
    market: str
    disk_gb: int
    created_at: datetime
    ended_at: datetime | None

    def hours_until(self, now: datetime) -> float:
        """Return the hours that are billed by now: a minute at least."""
        return max((self.ended_at or now) - self.created_at, _MIN_BILLED) / timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class ClusterRecord:
    """A cluster and all nodes it ever had."""

    cluster_id: str
    created_at: datetime
    ended_at: datetime | None
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class FinishedRun:
    """A run of the chain: when it began, and what it looked at."""

    started_at: datetime
    n_images: int
    n_bytes: int


def make_receipt(
    cluster: ClusterRecord,
    runs: Sequence[FinishedRun],
    prices: Prices,
    speed: Speed,
    *,
    now: datetime,
) -> Receipt:
    """Add up what a cluster has cost by now, for those of the runs that began while it was there.

    Raises FruitsError for a node of a type that has no price.
    """
    until = cluster.ended_at or now
    during = runs_between(runs, cluster.created_at, until)
    n_images = sum(run.n_images for run in during)
    figures = (prices.frankfurt, prices.spot, prices.emr, prices.disk, prices.euro)
    return Receipt(
        cluster_id=cluster.cluster_id,
        made_at=now.isoformat(timespec="seconds"),
        started_at=cluster.created_at.isoformat(timespec="seconds"),
        ended_at=cluster.ended_at.isoformat(timespec="seconds") if cluster.ended_at else None,
        n_runs=len(during),
        n_images=n_images,
        node_hours=_node_hours(cluster.nodes, now),
        costs=_costs(cluster, n_images, len(during), prices, speed, now),
        estimate=(
            # In one run on this cluster.
            estimate_run(work_of(during, speed), peak_shape(cluster.nodes), prices, speed).costs
            if n_images
            else None
        ),
        euros_a_usd=prices.euro.value,
        prices_read=prices.read,
        assumptions=(*(each.assumption for each in figures if each.assumption), _COUNTED),
    )


def runs_between(runs: Sequence[FinishedRun], start: datetime, end: datetime) -> list[FinishedRun]:
    """Return the runs that began in a time."""
    return [run for run in runs if start <= run.started_at <= end]


def peak_shape(nodes: Sequence[Node]) -> ClusterShape:
    """Return the cluster as it was at its largest, with the task nodes on Spot.

    Raises FruitsError where it never had a worker, and for a type that has no price.
    """
    workers = [node for node in nodes if node.role != PRIMARY]
    if not workers:
        raise FruitsError(
            "the cluster has no worker node yet; wait a minute and give the same command again"
        )
    primaries = [node for node in nodes if node.role == PRIMARY] or workers
    commonest = Counter(node.instance_type for node in workers).most_common(1)[0][0]
    return ClusterShape(
        primary=_type_of(primaries[0].instance_type),
        worker=_type_of(commonest),
        n_core_nodes=_peak([node for node in workers if node.role == CORE]),
        n_task_nodes=_peak([node for node in workers if node.role == TASK]),
        disk_gb=max(node.disk_gb for node in nodes),
        n_endpoints=default_cluster().n_endpoints,
        idle_minutes=default_cluster().idle_minutes,
    )


def _peak(nodes: Sequence[Node]) -> int:
    """Return how many nodes there were at a time, at most."""
    return max(
        (
            sum(
                one.created_at <= node.created_at and
                (one.ended_at is None or one.ended_at > node.created_at)
                for one in nodes
            )
            for node in nodes
        ),
        default=0,
    )  # fmt: skip


def _node_hours(nodes: Sequence[Node], now: datetime) -> tuple[NodeHours, ...]:
    kinds = sorted({(node.instance_type, node.market) for node in nodes})
    of_kind = {
        kind: [node.hours_until(now) for node in nodes if (node.instance_type, node.market) == kind]
        for kind in kinds
    }
    return tuple(NodeHours(*kind, len(hours), sum(hours)) for kind, hours in of_kind.items())


def _costs(
    cluster: ClusterRecord,
    n_images: int,
    n_runs: int,
    prices: Prices,
    speed: Speed,
    now: datetime,
) -> tuple[Cost, ...]:
    on_demand = spot = emr = disks = 0.0
    for node in cluster.nodes:
        hours, instance_type = node.hours_until(now), _type_of(node.instance_type)
        if node.market == SPOT:
            spot += hours * prices.on_spot(instance_type)
        else:
            on_demand += hours * prices.on_demand(instance_type)
        emr += hours * prices.emr_on_top(instance_type)
        disks += hours * node.disk_gb * prices.disk.value / HOURS_PER_MONTH
    cluster_h = ((cluster.ended_at or now) - cluster.created_at) / timedelta(hours=1)
    return (
        Cost("EC2 on demand", on_demand),
        Cost("EC2 Spot", spot),
        Cost("EMR", emr),
        Cost("disks", disks),
        Cost("endpoints", cluster_h * default_cluster().n_endpoints * prices.endpoint.value),
        Cost("key", cluster_h * prices.key.value / HOURS_PER_MONTH),
        requests_cost(n_images, prices, n_objects=n_runs * speed.objects.value),
    )


def work_of(runs: Sequence[FinishedRun], speed: Speed) -> Work:
    """Return the images of some runs, of which there is one at least, as those of one run."""
    n_images = sum(run.n_images for run in runs)
    megabytes = sum(run.n_bytes for run in runs) / n_images / 1e6
    return Work(n_images, speed.megapixels_of(megabytes))


def _type_of(name: str) -> InstanceType:
    try:
        return InstanceType.parse(name)
    except ValueError as error:
        raise FruitsError(
            f"the cluster has a node of type {name}, which has no price here; there are prices "
            f"for {error}"
        ) from error
