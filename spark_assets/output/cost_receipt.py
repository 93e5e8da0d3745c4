"""A cost receipt: the cost of the cluster, or of the EMR Serverless run, behind some runs.

Standard library only: `operations.costs` and the report both use it.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Cost:
    """One part of a cost in USD."""

    what: str
    usd: float


# The market of nodes on EMR Serverless.
SERVERLESS = "SERVERLESS"


@dataclass(frozen=True, slots=True)
class NodeHours:
    """Total hours of the nodes of one type and market.

    On EMR Serverless the type is a vCPU or a GB, and ``n_nodes`` the number of job runs.
    """

    instance_type: str
    market: str
    n_nodes: int
    hours: float


@dataclass(frozen=True, slots=True)
class Receipt:
    """The cost of a cluster until ``made_at``.

    Attributes
    ----------
    cluster_id : str
        On EMR Serverless the name of the run.
    made_at, started_at, ended_at : str
        ISO 8601; ``ended_at`` is None for a running cluster.
    costs, estimate : tuple of Cost
        In USD; ``estimate`` is None without images.
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
        """USD per million images, or None without images."""
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
