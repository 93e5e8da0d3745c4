"""Clusters side by side: which are compared, and which is the cheapest and the fastest."""

from dataclasses import dataclass, replace

from spark_assets.costs.clusters import DEFAULT_CLUSTER, ClusterShape, hourly_costs, total
from spark_assets.costs.instances import InstanceType
from spark_assets.costs.prices import HOURS_PER_MONTH, Prices
from spark_assets.costs.runs import RunEstimate, Work, estimate_run, estimate_serverless_run
from spark_assets.costs.speed import Speed

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
    """One run on several clusters, the default first; on EMR Serverless; and a month left on."""

    work: Work
    candidates: tuple[Candidate, ...]
    serverless: RunEstimate
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
    shapes = [("default", DEFAULT_CLUSTER), *_shapes()]
    return Comparison(
        work,
        tuple(
            Candidate(name, shape, estimate_run(work, shape, prices, speed))
            for name, shape in shapes
        ),
        estimate_serverless_run(work, DEFAULT_CLUSTER.n_worker_vcpus, prices, speed),
        total(hourly_costs(DEFAULT_CLUSTER, prices)) * HOURS_PER_MONTH,
    )


def _shapes() -> list[tuple[str, ClusterShape]]:
    """Return the clusters to compare: one core node each, and the other workers on Spot."""
    return [
        (
            f"{n} x {worker}",
            replace(
                DEFAULT_CLUSTER,
                worker=InstanceType.parse(worker),
                n_core_nodes=1,
                n_task_nodes=n - 1,
            ),
        )
        for worker in _WORKERS
        for n in N_WORKERS
    ]
