"""Checks of quotas: the vCPUs and the VPC to create, against what is free."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from cdk_app.cluster.definition import Fleet
from cdk_app.config import REGION
from cdk_app.instances import InstanceType
from operations.preflight.finding import Finding, failure, passed, warning, with_context

ON_DEMAND_QUOTA_CODE = "L-1216C47A"
SPOT_QUOTA_CODE = "L-34B43A08"
VPC_QUOTA_CODE = "L-F678F1CE"
# Of EMR Serverless: the vCPUs of all its applications in the region.
SERVERLESS_QUOTA_CODE = "L-D05C8A75"
# Both quotas of EC2 are of the Standard families: A, C, D, H, I, M, R, T and Z. The letters before
# the number tell them from others that begin alike, such as inf2 or hpc7g.
_STANDARD = {"a", "c", "d", "h", "i", "im", "is", "m", "r", "t", "z"}


@dataclass(frozen=True, slots=True)
class RunningInstance:
    """An instance that counts towards a quota; ``is_own`` if of the environment's cluster."""

    instance_type: str
    n_vcpus: int
    on_spot: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class _Usage:
    """The vCPUs of a quota.

    The environment's own cluster counts as free: a deployment keeps it or replaces it.
    """

    code: str
    quota: int
    n_own: int
    n_others: int

    @property
    def n_left(self) -> int:
        return self.quota - self.n_others

    @property
    def in_use(self) -> str:
        return f"{max(0, self.n_left - self.n_own)} of {self.quota} vCPUs are free"

    def fix(self, n_vcpus: int) -> str:
        return _increase("ec2", self.code, n_vcpus)


def check_on_demand_quota(
    fleets: Sequence[Fleet], quota: int, running: Iterable[RunningInstance]
) -> Finding:
    """Fail if primary and core nodes exceed the quota; warn if the task nodes would."""
    usage = _usage(ON_DEMAND_QUOTA_CODE, quota, running, on_spot=False)
    n_needed, n_on_spot = _n_vcpus(fleets, on_spot=False), _n_vcpus(fleets, on_spot=True)
    if n_needed <= usage.n_left < n_needed + n_on_spot:
        return warning(
            f"the primary and core nodes fit ({n_needed} vCPUs); {usage.in_use}. Without Spot "
            f"capacity, EMR takes the task nodes on demand, and their {n_on_spot} more do not fit; "
            "request an increase with:",
            usage.fix(n_needed + n_on_spot + usage.n_others),
        )
    fallback = f", {n_on_spot} more without Spot capacity" if n_on_spot else ""
    return _check_vcpus(usage, n_needed, fallback)


def check_spot_quota(
    fleets: Sequence[Fleet], quota: int, running: Iterable[RunningInstance]
) -> Finding:
    """Fail if the task nodes exceed the Spot quota."""
    usage = _usage(SPOT_QUOTA_CODE, quota, running, on_spot=True)
    return _check_vcpus(usage, _n_vcpus(fleets, on_spot=True))


def check_vpc_quota(quota: int, n_others: int) -> Finding:
    """Fail if the region has no room for one more VPC."""
    if n_others < quota:
        return passed(f"1 VPC is needed; {n_others} of {quota} are in use by others")
    return failure(
        f"1 VPC is needed, and {n_others} others use up the quota of {quota}; delete one, or "
        "request an increase with:",
        _increase("vpc", VPC_QUOTA_CODE, n_others + 1),
    )


def check_serverless_quota(n_vcpus: int, quota: int) -> Finding:
    """Fail if the application exceeds the vCPUs of EMR Serverless."""
    if n_vcpus <= quota:
        return passed(f"{n_vcpus} vCPUs at most; the quota is {quota}")
    return failure(
        f"{n_vcpus} vCPUs at most, and the quota is {quota}; deploy with "
        f"{with_context(f'serverless_max_vcpus={quota // 2 * 2}')}, or request an increase, which "
        "takes hours to days, with:",
        _increase("emr-serverless", SERVERLESS_QUOTA_CODE, n_vcpus),
    )


def _check_vcpus(usage: _Usage, n_needed: int, fallback: str = "") -> Finding:
    if n_needed > usage.n_left:
        return failure(
            f"{n_needed} vCPUs are needed, and {usage.in_use}; end other instances, deploy fewer "
            f"nodes with {with_context('n_task_nodes=0')}, or request an increase, which takes "
            "hours to days, with:",
            usage.fix(n_needed + usage.n_others),
        )
    needed = f"{n_needed} vCPUs are needed{fallback}; {usage.in_use}"
    if usage.n_own and n_needed > usage.n_left - usage.n_own:
        return warning(
            f"{needed}: the cluster of this environment runs. A deployment that replaces it "
            "starts the new one first, which would not fit; then begin with:",
            "fruits destroy",
        )
    return passed(needed)


def _usage(code: str, quota: int, running: Iterable[RunningInstance], *, on_spot: bool) -> _Usage:
    counted = [each for each in running if each.on_spot is on_spot and _is_standard(each)]
    n_own = sum(each.n_vcpus for each in counted if each.is_own)
    return _Usage(code, quota, n_own, sum(each.n_vcpus for each in counted) - n_own)


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


def _increase(service_code: str, quota_code: str, value: int) -> str:
    return (
        f"aws service-quotas request-service-quota-increase --region {REGION} "
        f"--service-code {service_code} --quota-code {quota_code} --desired-value {value}"
    )
