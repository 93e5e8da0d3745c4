"""What AWS has answered, as values: the checks know nothing of how it was asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias, TypeVar


class Computing(StrEnum):
    """The stacks that compute, by what make calls them."""

    COMPUTE = "compute"
    SERVERLESS = "serverless"


class Subscription(StrEnum):
    """What has become of the address for notices."""

    NO_STACK = "no stack"
    NOT_SUBSCRIBED = "not subscribed"
    PENDING = "pending"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class Unanswered:
    """AWS was asked in vain; ``reason`` is one sentence with what to do.

    ``is_final`` where nothing can be made before that is done.
    """

    reason: str
    is_final: bool = False


_T = TypeVar("_T")
Answer: TypeAlias = _T | Unanswered


@dataclass(frozen=True, slots=True)
class RunningInstance:
    """An instance that counts towards a quota; ``is_own`` if of the environment's own cluster."""

    instance_type: str
    n_vcpus: int
    on_spot: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class Toolkit:
    """What the stack of `cdk bootstrap` was told.  ``key`` is empty for one that it has made."""

    qualifier: str
    key: str


@dataclass(frozen=True, slots=True)
class StackState:
    """The stack that is to be deployed, as it is now."""

    status: str
    has_ended_cluster: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an account, whatever computes in it.

    ``bootstrap_version`` is None where the CDK has never been there, ``toolkit`` and ``stack``
    where there is no such stack, ``spark_version`` where the region does not offer the release.
    """

    bootstrap_version: Answer[int | None]
    toolkit: Answer[Toolkit | None]
    is_on_free_plan: Answer[bool]
    takes_budgets: Answer[bool]
    stack: Answer[StackState | None]
    spark_version: Answer[str | None]
    subscription: Answer[Subscription]


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What only a cluster needs.

    ``zones_by_type`` and ``zones_by_service`` leave out what the region does not have at all.
    ``n_other_vpcs`` leaves out that of the stack itself.
    """

    has_spot_role: Answer[bool]
    has_cleanup_role: Answer[bool]
    zones_by_type: Answer[Mapping[str, frozenset[str]]]
    types_of_release: Answer[frozenset[str]]
    zones_by_service: Answer[Mapping[str, frozenset[str]]]
    s3_prefix_list: Answer[str | None]
    on_demand_quota: Answer[int]
    spot_quota: Answer[int]
    running: Answer[tuple[RunningInstance, ...]]
    vpc_quota: Answer[int]
    n_other_vpcs: Answer[int]


@dataclass(frozen=True, slots=True)
class ServerlessFacts:
    """What only EMR Serverless needs."""

    has_role: Answer[bool]
    quota: Answer[int]
