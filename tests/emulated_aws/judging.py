"""What policies together allow in one account: those of a role, endpoint, bucket and key."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.emulated_aws.account import ACCOUNT
from tests.emulated_aws.s3_permissions import Access
from tests.infrastructure.policies import Statement, effects

_ROOT = f"arn:aws:iam::{ACCOUNT}:root"


@dataclass(frozen=True)
class Policies:
    """The statements that a role meets.

    ``endpoint`` are those of the gateway endpoint to S3, None for a role that comes through none;
    ``of_buckets`` and ``of_keys`` those of the resources, by ARN.
    """

    principal: str
    role: Sequence[Statement]
    endpoint: Sequence[Statement] | None = None
    of_buckets: Mapping[str, Sequence[Statement]] = field(default_factory=dict)
    of_keys: Mapping[str, Sequence[Statement]] = field(default_factory=dict)


def refused(
    accesses: Iterable[Access], policies: Policies, *, is_encrypted: bool = True
) -> Access | None:
    """Return the first access that the policies refuse, or None where they allow all.

    ``is_encrypted`` tells whether the request comes over TLS, 1.3 then.
    """
    transport = {"aws:SecureTransport": str(is_encrypted).lower()}
    if is_encrypted:
        transport["s3:TlsVersion"] = "1.3"
    for access in accesses:
        if not _is_allowed(access, policies, {**transport, **access.context}):
            return access
    return None


def _is_allowed(access: Access, policies: Policies, context: Mapping[str, str]) -> bool:
    def of(statements: Sequence[Statement], principal: str | None = None) -> set[str]:
        return effects(statements, access.action, access.resource, principal=principal, **context)

    granted, through = of(policies.role), {"Allow"}
    if access.action.startswith("s3:"):
        bucket = access.resource.partition("/")[0]
        granted |= of(policies.of_buckets.get(bucket, ()), policies.principal)
        if policies.endpoint is not None:
            through = of(policies.endpoint, policies.principal)
    elif (key := policies.of_keys.get(access.resource)) is not None:
        # A key leaves it to the policies of roles where it allows the account.
        by_account = granted if "Allow" in of(key, _ROOT) else set()
        granted = by_account | of(key, policies.principal)
    return granted == through == {"Allow"}
