"""A receipt as an output keeps it: what the cluster of some runs, or one on Serverless, has cost.

The standard library alone: the report shows receipts, and what makes them knows prices, which
nothing on the cluster needs.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """One part of a cost, in USD for the time that the function which made it says."""

    what: str
    usd: float


# In the place of a node's market: what is billed of runs on EMR Serverless.
SERVERLESS = "SERVERLESS"


@dataclass(frozen=True, slots=True)
class NodeHours:
    """How long the nodes of one type and market were there, together.

    On EMR Serverless the type is a vCPU or a GB, and the number that of job runs.
    """

    instance_type: str
    market: str
    n_nodes: int
    hours: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a cluster has cost by ``made_at``, and the runs it cost it for.

    On EMR Serverless ``cluster_id`` is the name of the run, which there is one of.
    Moments are ISO 8601; ``ended_at`` is None for a cluster that is still there.  ``costs`` and
    ``estimate`` are in USD; ``estimate`` is None where no image was looked at.
    """

    cluster_id: str
    made_at: str
    started_at: str
    ended_at: str | None
    n_runs: int
    n_images: int
    node_hours: tuple[NodeHours, ...]
    costs: tuple[Cost, ...]
    estimate: tuple[Cost, ...] | None
    eur_per_usd: float
    prices_read: str
    assumptions: tuple[str, ...]

    @property
    def is_serverless(self) -> bool:
        return any(one.market == SERVERLESS for one in self.node_hours)

    @property
    def usd(self) -> float:
        return _total(self.costs)

    @property
    def usd_per_million(self) -> float | None:
        """What a million images cost at this rate, or None where no image was looked at."""
        return self.usd * 1_000_000 / self.n_images if self.n_images else None

    @property
    def estimate_usd(self) -> float | None:
        return None if self.estimate is None else _total(self.estimate)

    def to_json(self) -> dict[str, Any]:
        sums = {"usd": self.usd, "usd_per_million": self.usd_per_million}
        return {**asdict(self), **sums, "estimate_usd": self.estimate_usd}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Receipt":
        fields = {name: value[name] for name in cls.__dataclass_fields__}
        estimate = fields["estimate"]
        return cls(
            **{
                **fields,
                "node_hours": tuple(NodeHours(**one) for one in fields["node_hours"]),
                "costs": tuple(Cost(**one) for one in fields["costs"]),
                "estimate": None if estimate is None else tuple(Cost(**one) for one in estimate),
                "assumptions": tuple(fields["assumptions"]),
            }
        )


def _total(costs: Iterable[Cost]) -> float:
    return sum(cost.usd for cost in costs)
