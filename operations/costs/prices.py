"""What AWS asks: the dated prices of ``prices.json``, and what follows from them for one node."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any

from cdk_app.instances import InstanceType
from operations.costs.figures import Figure

HOURS_PER_MONTH = 730


@dataclass(frozen=True, slots=True)
class Prices:
    """All figures of ``prices.json``; each says its unit.

    ``read`` is when they were read.  ``instances`` has the xlarge of each family on demand, in the
    place to which ``frankfurt`` is the factor; the price is proportional to the vCPUs.
    ``emr_instances`` has what EMR adds for an xlarge where that was read; elsewhere it is the share
    ``emr`` of the price on demand.  ``serverless_arm`` is the factor to vCPUs and memory on x86.
    """

    read: str
    instances: Mapping[str, Figure]
    frankfurt: Figure
    spot: Figure
    emr: Figure
    endpoint: Figure
    disk: Figure
    key: Figure
    storage: Figure
    get_requests: Figure
    put_requests: Figure
    serverless_vcpu: Figure
    serverless_memory: Figure
    serverless_storage: Figure
    serverless_arm: Figure
    euro: Figure
    emr_instances: Mapping[str, Figure] = field(default_factory=dict)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "Prices":
        """Return the prices of a parsed ``prices.json``."""
        figures: dict[str, Any] = {
            name: Figure(**entry)
            for name, entry in content.items()
            if name not in ("read", "instances")
        }
        instances = {family: Figure(**entry) for family, entry in content["instances"].items()}
        return cls(read=content["read"], instances=instances, **figures)

    @property
    def figures(self) -> Iterable[Figure]:
        """Every figure but those of the instances, in the order in which they are printed."""
        return (
            self.frankfurt, self.spot, *(self.emr_instances.values() or (self.emr,)), self.disk,
            self.endpoint, self.key, self.storage, self.get_requests, self.put_requests,
            self.serverless_vcpu, self.serverless_memory, self.serverless_storage,
            self.serverless_arm, self.euro,
        )  # fmt: skip

    def on_demand(self, instance_type: InstanceType) -> float:
        """Return what a node costs on demand in Frankfurt, in USD per hour."""
        return self._list_price(instance_type) * self.frankfurt.value

    def on_spot(self, instance_type: InstanceType) -> float:
        """Return what a node costs on Spot in Frankfurt, in USD per hour."""
        return self.on_demand(instance_type) * self.spot.value

    def emr_on_top(self, instance_type: InstanceType) -> float:
        """Return what EMR adds for a node, on Spot as on demand, in USD per hour."""
        if (read := self.emr_instances.get(instance_type.family)) is not None:
            return read.value * instance_type.n_xlarges
        return self._list_price(instance_type) * self.emr.value

    def _list_price(self, instance_type: InstanceType) -> float:
        return self.instances[instance_type.family].value * instance_type.n_xlarges


@cache
def load_prices() -> Prices:
    """Return the prices of ``prices.json``."""
    return Prices.from_json(read_asset("prices.json"))


def read_asset(name: str) -> dict[str, Any]:
    """Return the object in a JSON file of this package."""
    # Not a path beside this file: on a cluster the package is imported from a zip.
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
