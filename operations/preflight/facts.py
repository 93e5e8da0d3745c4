"""What AWS has answered, as values: the checks know nothing of how it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar


class Computing(StrEnum):
    """The stacks that compute, by what make calls them."""

    COMPUTE = "compute"
    ON_DEMAND = "on-demand"


class Subscription(StrEnum):
    """What has become of the address for notices."""

    NO_STACK = "no stack"
    NOT_SUBSCRIBED = "not subscribed"
    PENDING = "pending"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """AWS was asked in vain; ``reason`` is one sentence with what to do."""

    reason: str


_T = TypeVar("_T")
Answer: TypeAlias = _T | Unanswered


@dataclass(frozen=True, slots=True)
class RunningInstance:
    """An instance that counts towards a quota; ``is_own`` if of the cluster of the same stack."""

    instance_type: str
    n_vcpus: int
    on_spot: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an account.

    ``bootstrap_version`` is None where the CDK has never been there. ``zones_by_type`` and
    ``zones_by_service`` leave out what the region does not have at all. ``spark_version`` is None
    where the region does not offer the release.
    """

    bootstrap_version: Answer[int | None]
    has_spot_role: Answer[bool]
    has_cleanup_role: Answer[bool]
    zones_by_type: Answer[Mapping[str, frozenset[str]]]
    spark_version: Answer[str | None]
    zones_by_service: Answer[Mapping[str, frozenset[str]]]
    on_demand_quota: Answer[int]
    spot_quota: Answer[int]
    running: Answer[tuple[RunningInstance, ...]]
    subscription: Answer[Subscription]
