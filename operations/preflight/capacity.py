"""The checks of the quotas: the vCPUs and the VPC that are needed, against what is left."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdk_app.cluster.definition import Fleet
from cdk_app.config import REGION
from cdk_app.instances import InstanceType
from operations.preflight.facts import (
    Answer,
    ClusterFacts,
    RunningInstance,
    ServerlessFacts,
    Unanswered,
)
from operations.preflight.outcomes import Level, Outcome, unanswered

ON_DEMAND_QUOTA_CODE = "L-1216C47A"
SPOT_QUOTA_CODE = "L-34B43A08"
VPC_QUOTA_CODE = "L-F678F1CE"
# Of EMR Serverless: what all its applications in the region use at a time.
SERVERLESS_QUOTA_CODE = "L-D05C8A75"
# Both quotas are of the Standard families: A, C, D, H, I, M, R, T and Z. The letters before the
# number tell them from others that begin alike, such as inf2 or hpc7g.
_STANDARD = {"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}
_FEWER_NODES = 'CDK_OPTIONS="-c n_task_nodes=0"'


@dataclass(frozen=True, slots=True)
class _Market:
    """The vCPUs of one quota: what is needed, and what of it is in use."""

    check: str
    quota_code: str
    quota: int
    n_needed: int
    n_own: int
    n_others: int

    @property
    def n_free(self) -> int:
        return max(0, self.quota - self.n_own - self.n_others)

    @property
    def in_use(self) -> str:
        return f"of {self.quota} vCPUs {self.n_free} are free"

    def more(self, n_vcpus: int) -> str:
        """Return the command that asks AWS for a quota of so many vCPUs."""
        return _request("ec2", self.quota_code, n_vcpus)


def check_on_demand_quota(fleets: Sequence[Fleet], facts: ClusterFacts) -> Outcome:
    """Fail where primary and core nodes do not fit; warn where the task nodes would not."""
    check = "quota on demand"
    market = _market(
        check, ON_DEMAND_QUOTA_CODE, facts.on_demand_quota, facts, fleets, on_spot=False
    )
    if isinstance(market, Unanswered):
        return unanswered(check, market)
    if refusal := _too_little(market):
        return refusal
    n_on_spot = _n_vcpus(fleets, on_spot=True)
    if market.n_needed + n_on_spot > market.quota - market.n_others:
        n_wanted = market.n_needed + n_on_spot + market.n_others
        return Outcome(
            Level.WARNING,
            check,
            f"the primary and core nodes fit ({market.n_needed} vCPUs); {market.in_use}. Where "
            f"there is no Spot, EMR asks for the task nodes on demand, and their {n_on_spot} more "
            "do not fit; ask for more with:",
            market.more(n_wanted),
        )
    fallback = f", and {n_on_spot} more if there is no Spot" if n_on_spot else ""
    return _fits(market, f"{market.n_needed} vCPUs are needed{fallback}")


def check_spot_quota(fleets: Sequence[Fleet], facts: ClusterFacts) -> Outcome:
    """Fail where the task nodes do not fit on Spot."""
    check = "quota on Spot"
    market = _market(check, SPOT_QUOTA_CODE, facts.spot_quota, facts, fleets, on_spot=True)
    if isinstance(market, Unanswered):
        return unanswered(check, market)
    needed = f"{market.n_needed} vCPUs are needed"
    return _too_little(market) or _fits(market, needed)


def check_vpc_quota(facts: ClusterFacts) -> Outcome:
    """Fail where the region has no room for one more VPC."""
    check, quota, n_others = "quota of VPCs", facts.vpc_quota, facts.n_other_vpcs
    if isinstance(quota, Unanswered):
        return unanswered(check, quota)
    if isinstance(n_others, Unanswered):
        return unanswered(check, n_others)
    if n_others >= quota:
        return Outcome(
            Level.FAILED,
            check,
            f"1 VPC is needed, and the other {n_others} use up the quota of {quota}; delete one, "
            "or ask for more with:",
            _request("vpc", VPC_QUOTA_CODE, n_others + 1),
        )
    return Outcome(Level.OK, check, f"1 VPC is needed; {n_others} of {quota} are there besides")


def check_serverless_quota(n_vcpus: int, facts: ServerlessFacts) -> Outcome:
    """Fail where EMR Serverless may not use as many vCPUs as the application would."""
    check, quota = "quota of vCPUs", facts.quota
    if isinstance(quota, Unanswered):
        return unanswered(check, quota)
    if n_vcpus > quota:
        return Outcome(
            Level.FAILED,
            check,
            f"a run uses up to {n_vcpus} vCPUs, and the quota is {quota}; ask for more, which "
            "takes hours to days, or use fewer, as with "
            f'CDK_OPTIONS="-c serverless_max_vcpus={quota // 2 * 2}":',
            _request("emr-serverless", SERVERLESS_QUOTA_CODE, n_vcpus),
        )
    return Outcome(Level.OK, check, f"a run uses up to {n_vcpus} vCPUs; the quota is {quota}")


def _request(service_code: str, quota_code: str, value: int) -> str:
    """Return the command that asks AWS for a higher quota."""
    return (
        f"aws service-quotas request-service-quota-increase --region {REGION} "
        f"--service-code {service_code} --quota-code {quota_code} --desired-value {value}"
    )


def _market(
    check: str,
    quota_code: str,
    quota: Answer[int],
    facts: ClusterFacts,
    fleets: Sequence[Fleet],
    *,
    on_spot: bool,
) -> _Market | Unanswered:
    if isinstance(quota, Unanswered):
        return quota
    if isinstance(facts.running, Unanswered):
        return facts.running
    counted = [each for each in facts.running if each.on_spot is on_spot and _is_standard(each)]
    return _Market(
        check,
        quota_code,
        quota,
        _n_vcpus(fleets, on_spot=on_spot),
        sum(each.n_vcpus for each in counted if each.is_own),
        sum(each.n_vcpus for each in counted if not each.is_own),
    )


def _too_little(market: _Market) -> Outcome | None:
    """Return why what is needed does not fit, or None where it does.

    What the stack's own cluster takes counts as free: a deployment keeps that cluster or replaces
    it.
    """
    if market.n_needed > market.quota:
        return Outcome(
            Level.FAILED,
            market.check,
            f"{market.n_needed} vCPUs are needed, and the quota is {market.quota}; ask for more, "
            f"which takes hours to days, or deploy fewer nodes, as with {_FEWER_NODES}:",
            market.more(market.n_needed),
        )
    if market.n_needed > market.quota - market.n_others:
        return Outcome(
            Level.FAILED,
            market.check,
            f"{market.n_needed} vCPUs are needed, and {market.in_use}; end what else runs, ask for "
            f"more, or deploy fewer nodes, as with {_FEWER_NODES}:",
            market.more(market.n_needed + market.n_others),
        )
    return None


def _fits(market: _Market, needed: str) -> Outcome:
    """Return a pass, or a warning where the stack's cluster and its replacement would not fit."""
    if market.n_own and market.n_needed > market.n_free:
        return Outcome(
            Level.WARNING,
            market.check,
            f"{needed}, and {market.in_use}: the cluster of this environment runs. A deployment "
            "that replaces it starts the new one first, which would not fit; then begin with:",
            "make destroy",
        )
    return Outcome(Level.OK, market.check, f"{needed}; {market.in_use}")


def _n_vcpus(fleets: Iterable[Fleet], *, on_spot: bool) -> int:
    """Return the vCPUs of the fleets of a market; the types of a fleet have as many, each."""
    return sum(
        InstanceType.parse(fleet.instance_types[0]).n_vcpus * fleet.n_nodes
        for fleet in fleets
        if fleet.on_spot is on_spot
    )


def _is_standard(instance: RunningInstance) -> bool:
    letters = re.match(r"[a-z]+", instance.instance_type)
    return letters is not None and letters[0] in _STANDARD
