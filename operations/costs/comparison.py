"""Clusters side by side: which are compared, and which is the cheapest and the fastest."""

from dataclasses import dataclass, replace

from cdk_app.instances import InstanceType
from operations.costs.clusters import ClusterShape, hourly_costs, total
from operations.costs.configured import default_capacity, default_cluster
from operations.costs.prices import HOURS_PER_MONTH, Prices
from operations.costs.runs import RunEstimate, Work, estimate_run
from operations.costs.serverless import estimate_serverless_run, most_usd
from operations.costs.speed import Speed

N_WORKERS = (1, 2, 4, 8, 16, 32)
_WORKERS = ("m7g.xlarge", "m7g.2xlarge", "c7g.xlarge")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A cluster and what a run costs on it."""

    name: str
    shape: ClusterShape
    estimate: RunEstimate


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run on several clusters, the default first; on EMR Serverless; and a month left on.

    ``serverless_most_usd`` is what a run on EMR Serverless can cost until it is timed out.
    """

    work: Work
    candidates: tuple[Candidate, ...]
    serverless: RunEstimate
    serverless_most_usd: float
    month_usd: float

    @property
    def default(self) -> Candidate:
        return self.candidates[0]

    @property
    def cheapest(self) -> Candidate:
        return min(self.candidates, key=lambda one: one.estimate.usd)

    @property
    def fastest(self) -> Candidate:
        """The first to have the report, and the cheaper one of two that have it at a time."""
        return min(self.candidates, key=lambda one: (one.estimate.report_h, one.estimate.usd))


def compare(work: Work, prices: Prices, speed: Speed) -> Comparison:
    """Estimate one run on the default cluster, on others, and on EMR Serverless."""
    shapes = [("default", default_cluster()), *_shapes()]
    return Comparison(
        work,
        tuple(
            Candidate(name, shape, estimate_run(work, shape, prices, speed))
            for name, shape in shapes
        ),
        estimate_serverless_run(work, default_capacity(), prices, speed),
        most_usd(default_capacity(), prices),
        total(hourly_costs(default_cluster(), prices)) * HOURS_PER_MONTH,
    )


def _shapes() -> list[tuple[str, ClusterShape]]:
    """Return the clusters to compare: one core node each, and the other workers on Spot."""
    return [
        (
            f"{n} x {worker}",
            replace(
                default_cluster(),
                worker=InstanceType.parse(worker),
                n_core_nodes=1,
                n_task_nodes=n - 1,
            ),
        )
        for worker in _WORKERS
        for n in N_WORKERS
    ]
