"""The figures of the two reviews, each computed from what the project measures and generates.

``python -m docs.figures`` writes them anew between ``<!-- figure: name -->`` and
``<!-- /figure -->`` in both; a test compares. What is assumed here, and nowhere else in the
project, is said in the reviews as an assumption.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cdk_app.config import Environment
from cdk_app.retention import DEFAULTS
from operations.costs.clusters import hourly_costs, monthly_costs_at_rest, total
from operations.costs.configured import default_capacity, default_cluster
from operations.costs.prices import HOURS_PER_MONTH, load_prices
from operations.costs.runs import Work, estimate_run
from operations.costs.serverless import estimate_serverless_run
from operations.costs.speed import load_speed

DOCS = Path(__file__).parent
REVIEWS = {"en": DOCS / "critical-review.md", "fr": DOCS / "retour-critique.md"}
MARKED = re.compile(r"<!-- figure: (\w+) -->(.*?)<!-- /figure -->")
_NARROW_SPACE = "\u202f"  # what French puts between thousands

_VERDICTS = {
    "en": ("reached:", "**missed:**"),
    "fr": ("atteint\u00a0:", "**manqué\u00a0:**"),
}
# How the row of many small photographs begins.
_MANY = "`fruits featurize` over the usual notebook, 10,000"
# The run that both reviews price.
N_IMAGES = 100_000
# Assumptions of the reviews. One machine starts in a minute and installs the same wheels.
_MACHINE_START_S, _MACHINE_VCPUS, _LARGEST_MACHINE_VCPUS = 60, 4, 64
_KWH_A_VCPU_HOUR, _KWH_A_GIB_HOUR, _PUE, _G_CO2_A_KWH = 0.0035, 0.000392, 1.135, 363


@dataclass(frozen=True, slots=True)
class Figure:
    """A number, and with how many decimals it is written."""

    value: float
    n_decimals: int = 0

    def written(self, language: str) -> str:
        text = f"{self.value:,.{self.n_decimals}f}"
        if language == "fr":
            return text.replace(",", _NARROW_SPACE).replace(".", ",")
        return text


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a target was reached."""

    is_reached: bool

    def written(self, language: str) -> str:
        reached, missed = _VERDICTS[language]
        return reached if self.is_reached else missed


def figures() -> dict[str, Figure | Verdict]:
    """Return every figure by name."""
    return {**_measured(), **_costs(), **_crossovers(), **_carbon(), **_deployed()}


def filled_in(text: str, language: str) -> str:
    """Return a review with its figures written anew."""
    known = figures()

    def written(found: re.Match[str]) -> str:
        value = known[found[1]].written(language)
        return f"<!-- figure: {found[1]} -->{value}<!-- /figure -->"

    return MARKED.sub(written, text)


def _measured() -> dict[str, Figure | Verdict]:
    """Return what stands in the table of the benchmarks, by the beginning of its rows."""
    text = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    table = [row for row in rows if len(row) == 5]

    def row(start: str) -> list[str]:
        (found,) = (row for row in table if row[0].startswith(start))
        return found

    def here(start: str) -> float:
        return _first(r"[\d.]+", row(start)[2])

    def verdict(start: str) -> Verdict:
        return Verdict(row(start)[3] == "reached")

    small, large, steady = (
        row(_MANY),
        row("400 photographs"),
        row("images/s once"),
    )
    n_cores = _first(r"^(\d+) cores of", text)
    per_second = _first(r"([\d.]+) images/s in the middle", steady[4])
    return {
        "small_verdict": verdict(_MANY),
        "small_ratio": Figure(here(_MANY), 1),
        "notebook_per_second": Figure(_first(r"([\d.]+) images/s at best", small[4]), 1),
        "process_per_second": Figure(_first(r"fruits.*?\(([\d.]+) images/s", small[4]), 1),
        "steady_per_second": Figure(per_second, 1),
        "steady_per_core": Figure(per_second / n_cores, 1),
        "limit_ratio": Figure(here("images/s once"), 2),
        "worker_mib": Figure(here("peak resident")),
        "scale_ratio": Figure(here("seconds per image"), 2),
        "slow_storage_before": Figure(_first(r"the figure was\s+([\d.]+)", text), 2),
        "slow_storage_now": Figure(here("images/s with 20 ms"), 2),
        "large_verdict": verdict("400 photographs"),
        "large_ratio": Figure(here("400 photographs"), 1),
        "large_per_second": Figure(_first(r"fruits.*?\(([\d.]+) images/s", large[4]), 1),
        "mllib_ratio": Figure(here("PCA fit on 20,000 x 1280 from Parquet"), 1),
        "numpy_verdict": verdict("the same, our time"),
        "numpy_ratio": Figure(here("the same, our time"), 1),
        "listing_s": Figure(here("listing a folder"), 1),
    }


def _costs() -> dict[str, Figure]:
    prices, speed = load_prices(), load_speed()
    _, large = speed.photographs
    work = Work(N_IMAGES, large.megapixels)
    run = estimate_run(work, default_cluster(), prices, speed)
    serverless = estimate_serverless_run(work, default_capacity(), prices, speed)
    key, storage = monthly_costs_at_rest(prices=prices)
    return {
        "hour_usd": Figure(total(hourly_costs(default_cluster(), prices)), 3),
        "start_min": Figure(_cluster_start_s() / 60),
        "cluster_vcpu_usd": Figure(_usd_a_vcpu_hour(), 3),
        "machine_vcpu_usd": Figure(_usd_a_machine_vcpu_hour(on_spot=False), 3),
        "machine_spot_vcpu_usd": Figure(_usd_a_machine_vcpu_hour(on_spot=True), 3),
        "spot_percent": Figure(100 * prices.spot.value),
        "run_images": Figure(N_IMAGES),
        "run_report_min": Figure(run.report_h * 60),
        "run_billed_min": Figure(run.billed_h * 60),
        "run_usd": Figure(run.usd, 2),
        "run_usd_per_million": Figure(run.usd_per_million, 2),
        "serverless_usd": Figure(serverless.usd, 2),
        "key_usd": Figure(key.usd, 2),
        "storage_usd": Figure(storage.usd, 2),
    }


def _usd_a_vcpu_hour() -> float:
    """Return what an hour of a vCPU that computes costs in the default cluster."""
    computing = default_cluster().n_worker_vcpus * load_speed().efficiency.value
    return total(hourly_costs(default_cluster(), load_prices())) / computing


def _usd_a_machine_vcpu_hour(*, on_spot: bool) -> float:
    """Return the same for one machine of the type of a worker, with the same disk."""
    prices, worker = load_prices(), default_cluster().worker
    machine = prices.on_spot(worker) if on_spot else prices.on_demand(worker)
    disk = default_cluster().disk_gb * prices.disk.value / HOURS_PER_MONTH
    return (machine + disk) / worker.n_vcpus


def _crossovers() -> dict[str, Figure]:
    """Return from how many images on a cluster pays; n = start-ups / seconds saved an image."""
    speed = load_speed()
    small, large = (one.megapixels for one in speed.photographs)
    per_hour = 3600 * _LARGEST_MACHINE_VCPUS / _vcpu_seconds(large)
    return {
        "vcpu_ms_small": Figure(1000 * _vcpu_seconds(small), 1),
        "vcpu_ms_large": Figure(1000 * _vcpu_seconds(large), 1),
        "large_per_vcpu": Figure(speed.photographs[1].images_per_second.value, 1),
        "cluster_vcpus": Figure(default_cluster().n_worker_vcpus),
        "efficiency": Figure(speed.efficiency.value, 1),
        "machine_start_s": Figure(_machine_start_s()),
        "machine_vcpus": Figure(_MACHINE_VCPUS),
        "largest_machine_vcpus": Figure(_LARGEST_MACHINE_VCPUS),
        "crossover_small": Figure(_thousands(_crossover(small))),
        "crossover_large": Figure(_thousands(_crossover(large))),
        "largest_machine_per_hour": Figure(_thousands(per_hour)),
        "serverless_crossover": Figure(_thousands(_serverless_crossover(large))),
    }


def _crossover(megapixels: float) -> float:
    """Return for how many images the default cluster is as soon done as the one machine."""
    efficiency = load_speed().efficiency.value
    on_machine = _vcpu_seconds(megapixels) / _MACHINE_VCPUS
    on_cluster = _vcpu_seconds(megapixels) / (default_cluster().n_worker_vcpus * efficiency)
    return (_cluster_start_s() - _machine_start_s()) / (on_machine - on_cluster)


def _serverless_crossover(megapixels: float) -> float:
    """Return for how many images EMR on EC2 costs what EMR Serverless does, on as many vCPUs."""
    prices, speed = load_prices(), load_speed()

    def more(n_images: int) -> float:
        work = Work(n_images, megapixels)
        serverless = estimate_serverless_run(work, default_capacity(), prices, speed)
        return estimate_run(work, default_cluster(), prices, speed).usd - serverless.usd

    # Both grow in a straight line with the images.
    few, many = 1_000, 1_000_000
    return few + (many - few) * more(few) / (more(few) - more(many))


def _carbon() -> dict[str, Figure]:
    speed = load_speed()
    run = estimate_run(
        Work(N_IMAGES, speed.photographs[1].megapixels), default_cluster(), load_prices(), speed
    )
    nodes = [default_cluster().primary, *[default_cluster().worker] * default_cluster().n_workers]
    kilowatts = _KWH_A_VCPU_HOUR * sum(node.n_vcpus for node in nodes)
    kilowatts += _KWH_A_GIB_HOUR * sum(node.memory_mib / 1024 for node in nodes)
    kwh = kilowatts * _PUE * run.billed_h
    return {
        "kwh_vcpu_hour": Figure(_KWH_A_VCPU_HOUR, 4),
        "kwh_gib_hour": Figure(_KWH_A_GIB_HOUR, 6),
        "pue": Figure(_PUE, 3),
        "g_co2_kwh": Figure(_G_CO2_A_KWH),
        "run_wh": Figure(1000 * kwh),
        "run_g_co2": Figure(kwh * _G_CO2_A_KWH),
    }


def _deployed() -> dict[str, Figure]:
    """Return what ``cdk.json`` and the retention of the buckets say."""
    context = json.loads((DOCS.parent / "cdk.json").read_text(encoding="utf-8"))["context"]
    test, prod = DEFAULTS[Environment.TEST], DEFAULTS[Environment.PROD]
    return {
        "idle_min": Figure(context["idle_timeout_minutes"]),
        "test_erased_days": Figure(test.old_versions),
        "prod_erased_days": Figure(prod.old_versions),
        "test_log_days": Figure(test.logs_gone_after),
        "prod_log_days": Figure(prod.logs_gone_after),
    }


def _vcpu_seconds(megapixels: float) -> float:
    speed = load_speed()
    return speed.vcpu_seconds_per_image(megapixels) + speed.reduction.value


def _cluster_start_s() -> float:
    speed = load_speed()
    return speed.cluster_start.value + speed.bootstrap.value + speed.steps_start.value


def _machine_start_s() -> float:
    return _MACHINE_START_S + load_speed().bootstrap.value


def _thousands(value: float) -> float:
    """Round to what an estimate can be read at: two digits."""
    n_digits = len(str(int(value)))
    return round(value, 2 - n_digits)


def _first(pattern: str, text: str) -> float:
    found = re.search(pattern, text, flags=re.MULTILINE)
    assert found is not None, pattern
    return float(found[found.lastindex or 0])


def _write(fill: Callable[[str, str], str]) -> None:
    for language, path in REVIEWS.items():
        path.write_text(fill(path.read_text(encoding="utf-8"), language), encoding="utf-8")


if __name__ == "__main__":
    _write(filled_in)
