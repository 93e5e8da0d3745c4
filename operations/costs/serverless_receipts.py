"""What a run on EMR Serverless has cost: the hours that AWS bills for its job runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from operations.costs.prices import HOURS_PER_MONTH, Prices
from operations.costs.receipts import FinishedRun, runs_between, work_of
from operations.costs.runs import requests_cost
from operations.costs.serverless import (
    BilledHours,
    Capacity,
    estimate_serverless_run,
    serverless_costs,
)
from operations.costs.speed import Speed
from spark_assets.output.cost_receipt import SERVERLESS, Cost, NodeHours, Receipt

_COUNTED = "the hours are those that AWS bills for the job runs"


@dataclass(frozen=True, slots=True)
class ServerlessRecord:
    """A run that is over, and what AWS bills for each of its job runs."""

    name: str
    started_at: datetime
    ended_at: datetime
    billed: tuple[BilledHours, ...]

    @property
    def total(self) -> BilledHours:
        return BilledHours(
            sum(each.vcpu for each in self.billed),
            sum(each.memory_gb for each in self.billed),
            sum(each.storage_gb for each in self.billed),
        )


def make_serverless_receipt(
    record: ServerlessRecord,
    runs: Sequence[FinishedRun],
    capacity: Capacity,
    prices: Prices,
    speed: Speed,
    *,
    now: datetime,
) -> Receipt:
    """Add up what a run has cost, for those of ``runs`` that it is: one, where it got so far."""
    during = runs_between(runs, record.started_at, record.ended_at)
    n_images = sum(run.n_images for run in during)
    hours = (record.ended_at - record.started_at) / timedelta(hours=1)
    figures = (prices.serverless_arm, prices.euro)
    estimate = (
        estimate_serverless_run(work_of(during, speed), capacity, prices, speed).costs
        if n_images
        else None
    )
    return Receipt(
        cluster_id=record.name,
        made_at=now.isoformat(timespec="seconds"),
        started_at=record.started_at.isoformat(timespec="seconds"),
        ended_at=record.ended_at.isoformat(timespec="seconds"),
        n_runs=len(during),
        n_images=n_images,
        node_hours=_billed(record),
        costs=(
            *serverless_costs(record.total, capacity.architecture, prices),
            requests_cost(n_images, prices, n_objects=len(during) * speed.objects.value),
            Cost("key", hours * prices.key.value / HOURS_PER_MONTH),
        ),
        estimate=estimate,
        euros_a_usd=prices.euro.value,
        prices_read=prices.read,
        assumptions=(*(each.assumption for each in figures if each.assumption), _COUNTED),
    )


def _billed(record: ServerlessRecord) -> tuple[NodeHours, ...]:
    total, n_jobs = record.total, len(record.billed)
    return (
        NodeHours("vCPU", SERVERLESS, n_jobs, total.vcpu),
        NodeHours("GB of memory", SERVERLESS, n_jobs, total.memory_gb),
        NodeHours("GB of disk", SERVERLESS, n_jobs, total.storage_gb),
    )
