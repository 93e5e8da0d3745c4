"""The configuration: one frozen value, read from the context of the CDK app."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from cdk_app.instances import Architecture, InstanceType
from cdk_app.retention_days import Retention, parse_retention

REGION = "eu-central-1"
# Of each node, for the system and its packages; the work disk is another.
ROOT_VOLUME_GIB = 30

# RFC 1918. What Python calls private holds loopback and others too, which no VPC can have.
_PRIVATE_NETWORKS = tuple(
    map(ipaddress.IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"))
)


class ConfigError(ValueError):
    """A context key that is unknown or holds a value that is not allowed."""


class Environment(StrEnum):
    """TEST goes away whole when it is destroyed; PROD keeps its data and its keys."""

    TEST = "test"
    PROD = "prod"


def stack_name(environment: Environment, part: str) -> str:
    """Return the name of a stack; ``part`` is data, compute or serverless."""
    return f"fruits-{environment}-{part}"


class StepsMode(StrEnum):
    """NONE makes a cluster that waits for `fruits submit`; RUN adds the steps to its stack."""

    RUN = "run"
    NONE = "none"


class NetworkRules(StrEnum):
    """The rights of a node beside its own work.

    DOCUMENTED is the minimum on AWS's pages on private subnets; NARROW is the part of it that EMR
    is known to use.
    """

    DOCUMENTED = "documented"
    NARROW = "narrow"


@dataclass(frozen=True, slots=True)
class PipelineConfig:
    """The whole configuration.  Each field is a context key of ``cdk.json``, with its unit there.

    ``account`` is empty for the account of the credentials.
    """

    environment: Environment
    region: str
    account: str
    availability_zone: str
    vpc_cidr: str
    network_rules: NetworkRules
    primary_instance_type: InstanceType
    worker_instance_type: InstanceType
    n_core_nodes: int
    n_task_nodes: int
    node_volume_gib: int
    idle_timeout_minutes: int
    max_life_hours: int
    session_manager: bool
    in_transit_certificates: bool
    steps: StepsMode
    n_components: str
    label_level: int
    max_rejected: float
    serverless_max_vcpus: int
    run_timeout_hours: int
    schedule: str
    start_on_marker: bool
    alarm_email: str
    budget_usd_per_month: int
    retention: str
    wheelhouse_path: Path
    model_path: Path

    def __post_init__(self) -> None:
        """Check the combinations of keys."""
        primary, worker = self.primary_instance_type, self.worker_instance_type
        if primary.architecture != worker.architecture:
            raise ConfigError(
                f"primary_instance_type is {primary.name} ({primary.architecture}) and "
                f"worker_instance_type is {worker.name} ({worker.architecture}); the nodes install "
                "the same wheels, so choose two types of one architecture"
            )
        if self.is_kept and not self.in_transit_certificates:
            raise ConfigError(
                "in_transit_certificates is false, which is for first runs on sample photographs "
                "and not for prod; leave it out, or choose another with -c environment=test"
            )
        try:
            parse_retention(self.environment, self.retention)
        except ValueError as allowed:
            raise _not_allowed("retention", self.retention, allowed) from allowed

    @property
    def is_kept(self) -> bool:
        """Whether data and keys outlive their stack."""
        return self.environment is Environment.PROD

    @property
    def kept(self) -> Retention:
        """The retention: that of the environment with the changes in ``retention``."""
        return parse_retention(self.environment, self.retention)

    @property
    def is_narrow(self) -> bool:
        """Whether roles and network allow less than AWS documents."""
        return self.network_rules is NetworkRules.NARROW

    @property
    def tags(self) -> dict[str, str]:
        return {"project": "fruits", "environment": self.environment.value}

    @property
    def architecture(self) -> Architecture:
        return self.worker_instance_type.architecture

    @classmethod
    def from_context(cls, context: Mapping[str, Any]) -> "PipelineConfig":
        """Read the configuration from context keys.

        Raises ConfigError with the key, the value and the values allowed.
        """
        names = [field.name for field in fields(cls)]
        unknown = sorted(key for key in context if key not in names and not _is_of_the_cdk(key))
        if unknown:
            raise ConfigError(
                f"unknown context key {', '.join(unknown)}; the keys are {', '.join(names)}"
            )
        missing = [name for name in names if name not in context]
        if missing:
            raise ConfigError(
                f"the context key {', '.join(missing)} is missing; cdk.json holds the defaults"
            )
        return cls(**{name: _read(name, context[name]) for name in names})


def _is_of_the_cdk(key: str) -> bool:
    """Return whether a key is the CDK's: a feature flag, a look-up, or of its command line."""
    return key.startswith(("@aws-cdk", "aws:", "availability-zones:", "cdk", "cli-"))


def _read(name: str, value: object) -> Any:  # noqa: ANN401 - the type of the field
    try:
        return _READERS[name](str(value))
    except ValueError as allowed:
        raise _not_allowed(name, value, allowed) from allowed


def _not_allowed(name: str, value: object, allowed: ValueError) -> ConfigError:
    return ConfigError(
        f"the context key {name} is {str(value)!r}, which is not allowed; give {allowed}, "
        f"in cdk.json or with -c {name}=..."
    )


def _region(text: str) -> str:
    if text != REGION:
        raise ValueError(
            f"{REGION}: the photographs may hold personal data, and they stay on servers in "
            "Frankfurt, within the European Union (GDPR)"
        )
    return text


def _choice(kind: type[StrEnum], allowed: str) -> Callable[[str], StrEnum]:
    def read(text: str) -> StrEnum:
        if text not in list(kind):
            raise ValueError(allowed)
        return kind(text)

    return read


def _account(text: str) -> str:
    if not re.fullmatch(r"([0-9]{12})?", text):
        raise ValueError("an account number of 12 digits, or nothing for that of the credentials")
    return text


def _availability_zone(text: str) -> str:
    if not re.fullmatch(rf"{REGION}[a-c]", text):
        raise ValueError(f"{REGION}a, {REGION}b or {REGION}c")
    return text


def _cidr(text: str) -> str:
    allowed = "a private IPv4 network from /16 to /26, such as 10.42.0.0/24"
    try:
        network = ipaddress.IPv4Network(text)
    except ValueError as error:
        raise ValueError(allowed) from error
    if not 16 <= network.prefixlen <= 26 or not any(map(network.subnet_of, _PRIVATE_NETWORKS)):
        raise ValueError(allowed)
    return str(network)


def _bool(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("true or false")
    return text.lower() == "true"


def _int(lowest: int, highest: int, unit: str, *, even: bool = False) -> Callable[[str], int]:
    allowed = range(lowest, highest + 1, 2 if even else 1)

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) not in allowed:
            kind = "an even" if even else "a whole"
            raise ValueError(f"{kind} number of {unit} from {lowest} to {highest}")
        return int(text)

    return read


def _n_components(text: str) -> str:
    if re.fullmatch(r"[0-9]{1,6}", text) and int(text) >= 1:
        return text
    if re.fullmatch(r"0?\.[0-9]{1,9}", text) and float(text) > 0:
        return text
    raise ValueError("a number of components, or a share of variance between 0 and 1 such as 0.95")


def _share(text: str) -> float:
    if not re.fullmatch(r"[01]?\.?[0-9]{0,9}", text) or not text.strip(".") or not float(text) <= 1:
        raise ValueError("a fraction from 0 to 1")
    return float(text)


def _schedule(text: str) -> str:
    rate = r"rate\((1 (hour|day)|([2-9]|[1-9][0-9]{1,3}) (hours|days))\)"
    if text and not re.fullmatch(rate, text) and not _is_cron(text):
        raise ValueError(
            "an expression of EventBridge such as rate(1 day) or cron(0 3 * * ? *), in UTC and at "
            "most once an hour, or nothing for no schedule"
        )
    return text


def _is_cron(text: str) -> bool:
    """Return whether a text is a cron expression of EventBridge: minutes, hours, ..., years.

    One of the two kinds of days has to be ``?``; a single minute keeps runs an hour apart.
    """
    field = r"[0-9A-Z*,/\-#?]+"
    found = re.fullmatch(
        rf"cron\(([0-5]?[0-9]) {field} ({field}) {field} ({field}) {field}\)", text
    )
    return found is not None and (found[2] == "?") != (found[3] == "?")


def _email(text: str) -> str:
    if text and not re.fullmatch(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", text):
        raise ValueError("an e-mail address such as team@example.org, or nothing for none")
    return text


_READERS: dict[str, Callable[[str], Any]] = {
    "environment": _choice(
        Environment, "test (all goes when it is destroyed) or prod (data and keys are kept)"
    ),
    "region": _region,
    "account": _account,
    "availability_zone": _availability_zone,
    "vpc_cidr": _cidr,
    "network_rules": _choice(
        NetworkRules, "documented (the least that AWS documents) or narrow (less than that)"
    ),
    "primary_instance_type": InstanceType.parse,
    "worker_instance_type": InstanceType.parse,
    "n_core_nodes": _int(1, 100, "nodes"),
    "n_task_nodes": _int(0, 100, "nodes"),
    "node_volume_gib": _int(20, 1000, "GiB"),
    "idle_timeout_minutes": _int(1, 1440, "minutes"),
    "max_life_hours": _int(1, 168, "hours"),
    "session_manager": _bool,
    "in_transit_certificates": _bool,
    "steps": _choice(
        StepsMode, "none (the cluster waits for them) or run (the steps are in its stack)"
    ),
    "n_components": _n_components,
    "label_level": _int(1, 9, "folders"),
    "max_rejected": _share,
    "serverless_max_vcpus": _int(2, 400, "vCPUs", even=True),
    "run_timeout_hours": _int(1, 24, "hours"),
    "schedule": _schedule,
    "start_on_marker": _bool,
    "alarm_email": _email,
    "budget_usd_per_month": _int(0, 100_000, "USD"),
    "retention": str.strip,
    "wheelhouse_path": Path,
    "model_path": Path,
}
