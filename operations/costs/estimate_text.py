"""Text of ``fruits cost``: one run on the cluster and on EMR Serverless, and the sources."""

from collections.abc import Callable
from functools import partial

from cdk_app.config import PipelineConfig
from operations.costs.cluster_costs import (
    ClusterShape,
    cluster_shape,
    hourly_costs,
    monthly_costs_at_rest,
    total,
)
from operations.costs.prices import HOURS_PER_MONTH, load_prices
from operations.costs.run_costs import (
    RunEstimate,
    Work,
    estimate_run,
    estimate_serverless_run,
    max_serverless_usd,
    serverless_capacity,
    stored_gb,
    upload_usd,
)
from operations.costs.speed import load_speed
from operations.plain_text import fact_lines, join, wrap

_CLUSTER, _SERVERLESS = "cluster", "EMR Serverless"
_NOT_INCLUDED = (
    "Not included: upload traffic, flow logs, alarms, old versions in S3, KMS requests, taxes; the "
    "VPC endpoints after the run, until fruits destroy"
)


def estimate_text(work: Work, config: PipelineConfig) -> str:
    """Return time and cost of a run as configured, what else is billed, and every source."""
    shape, capacity = cluster_shape(config), serverless_capacity(config)
    estimates = {
        _CLUSTER: estimate_run(work, shape),
        _SERVERLESS: estimate_serverless_run(work, capacity),
    }
    heading = (
        f"Estimated cost in USD of a run over {work.n_images:,} photographs of {work.megapixels:g} "
        f"megapixels at {work.image_size_px} px in {config.region}:"
    )
    facts = [
        (_CLUSTER, _shape_text(shape)),
        (
            _SERVERLESS,
            f"{capacity.n_vcpus} vCPUs at most; until its timeout after "
            f"{config.run_timeout_hours} hours at most "
            f"{load_prices().both(max_serverless_usd(capacity, config.run_timeout_hours))}",
        ),
        *_other_costs(work, shape),
    ]
    return join(
        [
            wrap(heading),
            _table(estimates),
            fact_lines(facts),
            wrap(f"Prices read {load_prices().read}, speed measured {load_speed().measured}:"),
            _sources(config),
        ]
    )


def _table(estimates: dict[str, RunEstimate]) -> list[str]:
    """Return a column for each place: hours and minutes, the parts in USD, and the sums."""
    eur = load_prices().eur_per_usd.value
    parts = dict.fromkeys(cost.what for each in estimates.values() for cost in each.costs)

    def row(name: str, cell: Callable[[RunEstimate], str]) -> str:
        return f"  {name:<16}" + "".join(f"{cell(each):>16}" for each in estimates.values())

    return [
        " " * 18 + "".join(f"{place:>16}" for place in estimates),
        row("time to report", lambda each: _time(each.report_h)),
        row("billed time", lambda each: _time(each.billed_h)),
        *(row(part, partial(_part, part=part)) for part in parts),
        row("total USD", lambda each: f"{each.usd:,.2f}"),
        row("total EUR", lambda each: f"{each.usd * eur:,.2f}"),
        row("USD per million", lambda each: f"{each.usd_per_million:,.2f}"),
    ]


def _part(estimate: RunEstimate, part: str) -> str:
    usd = {cost.what: cost.usd for cost in estimate.costs}.get(part)
    return "-" if usd is None else f"{usd:,.2f}"


def _shape_text(shape: ClusterShape) -> str:
    return (
        f"primary node {shape.primary.name}, {shape.n_core_nodes} core on demand and "
        f"{shape.n_task_nodes} task on Spot of {shape.worker.name}; ends after "
        f"{shape.idle_minutes} idle minutes (billed)"
    )


def _other_costs(work: Work, shape: ClusterShape) -> list[tuple[str, str]]:
    both, gb = load_prices().both, stored_gb(work)
    key, storage = monthly_costs_at_rest(stored_gb=gb)
    return [
        ("idle cluster", f"{both(total(hourly_costs(shape)) * HOURS_PER_MONTH)} per month"),
        (
            "storage",
            f"{both(key.usd + storage.usd)} per month: KMS key {key.usd:.2f}, {gb:,.1f} GB in S3 "
            f"{storage.usd:,.2f} USD",
        ),
        ("upload", f"{both(upload_usd(work.n_images))} once, for PUT requests"),
    ]


def _sources(config: PipelineConfig) -> list[str]:
    prices, speed = load_prices(), load_speed()
    families = {config.primary_instance_type.family, config.worker_instance_type.family}
    sources = [
        *(
            f"{each.images_per_second.value:g} images per second and vCPU at {each.megapixels:g} "
            f"megapixels, linear between and beyond ({each.images_per_second.source})"
            for each in speed.photographs
        ),
        *(figure.origin for figure in speed.figures),
        *(f"{family}: {prices.instances[family].origin}" for family in sorted(families)),
        *(figure.origin for figure in prices.figures),
        _NOT_INCLUDED,
    ]
    return [line for source in sources for line in wrap(source, first="- ", rest="  ")]


def _time(hours: float) -> str:
    whole, minutes = divmod(round(hours * 60), 60)
    return f"{whole}:{minutes:02d} h"
