"""A comparison as plain text: the table to decide from, and what it is made of."""

import textwrap
from collections.abc import Iterable

from operations.costs.clusters import monthly_costs_at_rest
from operations.costs.comparison import Candidate, Comparison
from operations.costs.configured import default_capacity
from operations.costs.figures import Figure
from operations.costs.prices import Prices
from operations.costs.runs import stored_gb, upload_cost
from operations.costs.speed import Speed

WIDTH = 108
_PARTS = {
    "EC2 on demand": "on dem",
    "EC2 Spot": "Spot",
    "EMR": "EMR",
    "disks": "disks",
    "S3 requests": "S3",
    "endpoints": "endp.",
    "key": "key",
}


def comparison_text(comparison: Comparison, prices: Prices, speed: Speed) -> str:
    """Tell what a run takes and costs on each cluster, beside what else it could run on."""
    work = comparison.work
    return "\n".join(
        [
            f"What {work.n_images:,} photographs of {work.megapixels:g} megapixels cost in "
            f"eu-central-1 at {work.image_size_px} px, an estimate in USD a run:",
            "",
            *_table(comparison, prices),
            "",
            *_wrapped(_legend(comparison)),
            "",
            *_facts(comparison, prices, speed),
            "",
            f"Prices read {prices.read}, speed measured {speed.measured}. It follows from:",
            "",
            *_sources(prices, speed),
        ]
    )


def _table(comparison: Comparison, prices: Prices) -> list[str]:
    heads = _cells(["report", "billed", *_PARTS.values()], ["USD", "EUR", "USD/1M"])
    return [
        f"  {'workers':<16}{heads}",
        *(_row(one, comparison, prices) for one in comparison.candidates),
    ]


def _row(candidate: Candidate, comparison: Comparison, prices: Prices) -> str:
    estimate = candidate.estimate
    mark = f"{'$' if candidate is comparison.cheapest else ' '}"
    mark += f"{'>' if candidate is comparison.fastest else ' '}"
    times = [_time(estimate.report_h), _time(estimate.billed_h)]
    parts = [_usd(estimate.part(what)) for what in _PARTS]
    sums = (estimate.usd, estimate.usd * prices.euro.value, estimate.usd_per_million)
    return f"{mark}{candidate.name:<16}{_cells([*times, *parts], map(_usd, sums))}"


def _cells(narrow: Iterable[str], wide: Iterable[str]) -> str:
    return "".join([*(f"{cell:>7}" for cell in narrow), *(f"{cell:>9}" for cell in wide)])


def _legend(comparison: Comparison) -> str:
    shape = comparison.default.shape
    return (
        "$ the cheapest, > the fastest to the report; S3 is its requests. The default has "
        f"{shape.n_workers} workers of {shape.worker.name}. Beside the workers, of which one is a "
        "core node on demand and the rest task nodes on Spot, there is a primary node "
        f"({shape.primary.name}). Times are hours:minutes from the start to the report, and to the "
        f"end of the cluster after {shape.idle_minutes} idle minutes. USD/1M is for a million "
        "photographs in runs of this size."
    )


def _facts(comparison: Comparison, prices: Prices, speed: Speed) -> list[str]:
    work, serverless = comparison.work, comparison.serverless
    gb = stored_gb(work, speed)
    key, storage = monthly_costs_at_rest(stored_gb=gb, prices=prices)
    rows = [
        (
            "EMR Serverless",
            f"{_both(serverless.usd, prices)}, report after {_time(serverless.report_h)}, with "
            f"at most {default_capacity().n_vcpus} vCPUs",
        ),
        (
            "... at most",
            f"{_both(comparison.serverless_most_usd, prices)}, where a run is timed out after "
            f"{default_capacity().timeout_h} hours",
        ),
        ("default left on", f"{_both(comparison.month_usd, prices)} a month"),
        (
            "what stays",
            f"{_both(key.usd + storage.usd, prices)} a month: key {key.usd:.2f}, "
            f"{gb:,.1f} GB in S3 {storage.usd:.2f} USD",
        ),
        ("upload", f"{_both(upload_cost(work.n_images, prices), prices)} once, for PUT requests"),
    ]
    return [f"  {name:<16} {fact}" for name, fact in rows]


def _sources(prices: Prices, speed: Speed) -> list[str]:
    lines = []
    for one in speed.photographs:
        lines.append(
            f"{one.images_per_second.value:g} images a second on a vCPU at {one.megapixels:g} "
            f"megapixels, a straight line between and beyond ({one.images_per_second.source})"
        )
    for figure in speed.figures:
        lines.append(_source(figure))
    for family, figure in prices.instances.items():
        if family in ("m7g", "c7g"):
            lines.append(f"{family}: {_source(figure)}")
    for figure in prices.figures:
        lines.append(_source(figure))
    lines.append(
        "Not in it: upload traffic, flow logs, alarms, old versions in S3, requests to the key, "
        "taxes; the endpoints cost on until the network is destroyed"
    )
    return [line for text in lines for line in _wrapped(text, first="- ", rest="  ")]


def _source(figure: Figure) -> str:
    if figure.assumption:
        return f"assumed: {figure.assumption}"
    return f"{figure.value:g} {figure.unit} ({figure.source})"


def _both(usd: float, prices: Prices) -> str:
    return f"{usd:,.2f} USD ({usd * prices.euro.value:,.2f} EUR)"


def _usd(usd: float) -> str:
    return f"{usd:.2f}" if usd < 1000 else f"{usd:.0f}"


def _time(hours: float) -> str:
    whole, minutes = divmod(round(hours * 60), 60)
    return f"{whole}:{minutes:02d}" if whole < 1000 else f"{whole} h"


def _wrapped(text: str, *, first: str = "", rest: str = "") -> Iterable[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
