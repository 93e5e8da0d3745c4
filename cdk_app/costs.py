"""What the stacks cost: an estimate from the dated prices of ``prices.json``, as pure functions."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig
from cdk_app.instances import InstanceType

PRICES_FILE = Path(__file__).with_name("prices.json")
HOURS_PER_MONTH = 730
# The control channel of EMR, and the key; the session manager needs three more.
_N_ENDPOINTS, _N_SESSION_MANAGER_ENDPOINTS = 2, 2
_ASSUMPTION = "assumption: "


@dataclass(frozen=True, slots=True)
class Price:
    """One figure: ``source`` says where it was read, or begins with ``assumption:``."""

    value: float
    unit: str
    source: str

    @property
    def assumption(self) -> str | None:
        """What is assumed, as words that can be printed; None for a figure that was read."""
        if not self.source.startswith(_ASSUMPTION):
            return None
        return self.source.removeprefix(_ASSUMPTION)


@dataclass(frozen=True, slots=True)
class Prices:
    """All figures of ``prices.json``; each says its unit.

    ``read`` is when they were read, ``instances`` has the xlarge of each family on demand in
    N. Virginia, whose price is proportional to the vCPUs.
    """

    read: str
    instances: Mapping[str, Price]
    frankfurt: Price
    spot: Price
    emr: Price
    endpoint: Price
    disk: Price
    key: Price
    storage: Price

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Prices":
        """Return the prices of a parsed ``prices.json``."""
        figures = {
            name: Price(**entry)
            for name, entry in content.items()
            if name not in ("read", "instances")
        }
        instances = {family: Price(**entry) for family, entry in content["instances"].items()}
        return cls(read=content["read"], instances=instances, **figures)

    def on_demand(self, instance_type: InstanceType) -> float:
        """Return what a node costs on demand in Frankfurt, in USD an hour."""
        return self._in_n_virginia(instance_type) * self.frankfurt.value

    def on_spot(self, instance_type: InstanceType) -> float:
        """Return what a node costs on Spot in Frankfurt, in USD an hour."""
        return self.on_demand(instance_type) * self.spot.value

    def emr_on_top(self, instance_type: InstanceType) -> float:
        """Return what EMR adds for a node, on Spot as on demand, in USD an hour."""
        return self._in_n_virginia(instance_type) * self.emr.value

    def _in_n_virginia(self, instance_type: InstanceType) -> float:
        xlarge = InstanceType(instance_type.family, "xlarge")
        return self.instances[xlarge.family].value * instance_type.n_vcpus / xlarge.n_vcpus


@dataclass(frozen=True, slots=True)
class Cost:
    """One part of an estimate, in USD for the time that the function which made it says."""

    what: str
    usd: float


@cache
def load_prices() -> Prices:
    """Return the prices of ``prices.json``."""
    return Prices.from_json(json.loads(PRICES_FILE.read_text(encoding="utf-8")))


def hourly_costs(config: PipelineConfig, prices: Prices | None = None) -> list[Cost]:
    """Return what the compute stack costs, by part, in USD an hour.

    Requests, flow logs, data between zones and taxes are not in it.
    """
    prices = prices or load_prices()
    primary, worker = config.primary_instance_type, config.worker_instance_type
    n_workers = config.n_core_nodes + config.n_task_nodes
    disks_gb = (1 + n_workers) * (ROOT_VOLUME_GIB + config.node_volume_gib)
    return [
        Cost("primary node", prices.on_demand(primary)),
        Cost("core nodes", config.n_core_nodes * prices.on_demand(worker)),
        Cost("task nodes (Spot)", config.n_task_nodes * prices.on_spot(worker)),
        Cost("EMR", prices.emr_on_top(primary) + n_workers * prices.emr_on_top(worker)),
        Cost("disks", disks_gb * prices.disk.value / HOURS_PER_MONTH),
        Cost("endpoints", n_interface_endpoints(config) * prices.endpoint.value),
    ]


def spot_savings(config: PipelineConfig, prices: Prices | None = None) -> float:
    """Return what is saved while the task nodes are on Spot, in USD an hour."""
    prices = prices or load_prices()
    worker = config.worker_instance_type
    return config.n_task_nodes * (prices.on_demand(worker) - prices.on_spot(worker))


def monthly_costs_at_rest(*, stored_gb: float = 100, prices: Prices | None = None) -> list[Cost]:
    """Return what the data stack costs, by part, in USD a month."""
    prices = prices or load_prices()
    return [
        Cost("key", prices.key.value),
        Cost(f"storage of {stored_gb:g} GB", stored_gb * prices.storage.value),
    ]


def total(costs: Iterable[Cost]) -> float:
    """Return the sum of costs for the same time, in USD."""
    return sum(cost.usd for cost in costs)


def n_interface_endpoints(config: PipelineConfig) -> int:
    """Return how many endpoints of the network are billed by the hour."""
    return _N_ENDPOINTS + (_N_SESSION_MANAGER_ENDPOINTS if config.session_manager else 0)
