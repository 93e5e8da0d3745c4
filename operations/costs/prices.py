"""List prices of AWS: the dated figures of ``prices.json``, and prices of single nodes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

from cdk_app.instances import InstanceType

HOURS_PER_MONTH = 730
_ASSUMPTION = "assumption: "


@dataclass(frozen=True, slots=True)
class Figure:
    """A number; ``source`` is where it was read or measured, or begins with ``assumption:``."""

    value: float
    unit: str
    source: str

    @property
    def assumption(self) -> str | None:
        """The assumption as printed; None for a figure with a source."""
        if not self.source.startswith(_ASSUMPTION):
            return None
        return self.source.removeprefix(_ASSUMPTION)

    @property
    def origin(self) -> str:
        """The line to print: value, unit and source, or the assumption."""
        if self.assumption:
            return f"assumed: {self.assumption}"
        return f"{self.value:g} {self.unit} ({self.source})"


@dataclass(frozen=True, slots=True)
class Prices:
    """The figures of ``prices.json``; units stand there.

    ``instances`` holds the xlarge of each family on demand in N. Virginia, to which ``frankfurt``
    is the factor; the price is proportional to the vCPUs.  ``emr`` and ``spot`` are shares of a
    price on demand, ``serverless_arm`` the factor to vCPUs and memory on x86.
    """

    read: str
    instances: Mapping[str, Figure]
    frankfurt: Figure
    spot: Figure
    emr: Figure
    disk: Figure
    endpoint: Figure
    key: Figure
    storage: Figure
    get_requests: Figure
    put_requests: Figure
    serverless_vcpu: Figure
    serverless_memory: Figure
    serverless_storage: Figure
    serverless_arm: Figure
    eur_per_usd: Figure

    @property
    def figures(self) -> list[Figure]:
        """Every figure but those of ``instances``, in the order of the fields."""
        return figures_of(self)

    def on_demand(self, instance_type: InstanceType) -> float:
        """Return the price of a node on demand in Frankfurt, in USD per hour."""
        return self._list_price(instance_type) * self.frankfurt.value

    def on_spot(self, instance_type: InstanceType) -> float:
        """Return the price of a node on Spot in Frankfurt, in USD per hour."""
        return self.on_demand(instance_type) * self.spot.value

    def emr_on_top(self, instance_type: InstanceType) -> float:
        """Return EMR's charge for a node, on Spot as on demand, in USD per hour."""
        return self._list_price(instance_type) * self.emr.value

    def both(self, usd: float) -> str:
        """Return a sum in both currencies."""
        return f"{usd:,.2f} USD ({usd * self.eur_per_usd.value:,.2f} EUR)"

    def _list_price(self, instance_type: InstanceType) -> float:
        return self.instances[instance_type.family].value * instance_type.n_xlarges


@cache
def load_prices() -> Prices:
    """Return the prices of ``prices.json``."""
    content = read_asset("prices.json")
    instances = {family: Figure(**entry) for family, entry in content.pop("instances").items()}
    read = content.pop("read")
    rest: dict[str, Any] = {name: Figure(**entry) for name, entry in content.items()}
    return Prices(read=read, instances=instances, **rest)


def figures_of(holder: Any) -> list[Figure]:  # noqa: ANN401 - a dataclass of figures
    """Return the fields of a dataclass that are a `Figure`, in their order."""
    values = (getattr(holder, each.name) for each in fields(holder))
    return [value for value in values if isinstance(value, Figure)]


def read_asset(name: str) -> dict[str, Any]:
    """Return the object in a JSON file of this package."""
    text = resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
    content: dict[str, Any] = json.loads(text)
    return content
