"""Retention in days: read by lifecycles, documentation and commands."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace

# S3 removes a version a day after it became old at the earliest.
_LONGEST_DAYS = 3650


@dataclass(frozen=True, slots=True)
class Retention:
    """Retention in days; 0 means until deleted.

    Attributes
    ----------
    photographs : int
        From the upload.  The next run then removes an expired one from the current state.
    old_versions : int
        Within which a deleted or replaced object can be restored: the time until a deletion is
        final.
    logs : int
        Logs of steps, accesses, runs and network.
    unfinished_uploads : int
        Parts of an upload that was never completed.
    tier : int
        After which photographs move to Standard-IA.
    """

    photographs: int
    old_versions: int
    logs: int
    unfinished_uploads: int
    tier: int

    def __post_init__(self) -> None:
        """Check the range of S3.  Raises ValueError with the values allowed."""
        for field in fields(self):
            lowest = 0 if field.name in ("photographs", "tier") else 1
            if not lowest <= getattr(self, field.name) <= _LONGEST_DAYS:
                raise ValueError(f"{field.name} of {lowest} to {_LONGEST_DAYS} days")

    @property
    def days_until_logs_are_deleted(self) -> int:
        """Days until a log is deleted with its versions."""
        return self.logs + self.old_versions


# The retentions of CloudWatch, in days, with the names of the CDK.
CLOUDWATCH_NAMES = {
    1: "ONE_DAY",
    3: "THREE_DAYS",
    5: "FIVE_DAYS",
    7: "ONE_WEEK",
    14: "TWO_WEEKS",
    30: "ONE_MONTH",
    60: "TWO_MONTHS",
    90: "THREE_MONTHS",
    180: "SIX_MONTHS",
    365: "ONE_YEAR",
    731: "TWO_YEARS",
    1827: "FIVE_YEARS",
}

# The rules of a bucket's lifecycle, by the name that S3 keeps them under.
EXPIRY_RULE, OLD_VERSIONS_RULE = "expire", "expire-noncurrent-versions"
# A query can be repeated. Its result is deleted for good a day later.
QUERY_RESULT_DAYS = 7
# The pictures of an executed notebook may show photographs: it is deleted for good a day later.
NOTEBOOK_DAYS = 30

# By the name of the environment.
DEFAULTS = {
    "test": Retention(photographs=0, old_versions=7, logs=30, unfinished_uploads=1, tier=0),
    "prod": Retention(photographs=0, old_versions=30, logs=365, unfinished_uploads=7, tier=90),
}


def parse_retention(environment: str, text: str) -> Retention:
    """Return the retention of an environment, with what ``text`` changes: ``logs=90 tier=0``.

    Raises ValueError with the values allowed.
    """
    names = [field.name for field in fields(Retention)]
    changes: dict[str, int] = {}
    for part in text.split():
        found = re.fullmatch(r"([a-z_]+)=([0-9]{1,4})", part)
        if found is None or found[1] not in names:
            raise ValueError(f"days by name, such as 'logs=90'; the names are {', '.join(names)}")
        changes[found[1]] = int(found[2])
    return replace(DEFAULTS[environment], **changes)


def retention_lines(retention: Retention) -> Iterator[tuple[str, str]]:
    """Yield data and retention, as in the documentation and ``fruits retention``."""
    photographs = retention.photographs
    yield "photographs", _days(photographs) if photographs else "until deleted"
    yield "results: tables, models, reports", "until erased"
    yield "results of queries in Athena are permanently deleted after", _days(QUERY_RESULT_DAYS + 1)
    yield "executed notebooks are permanently deleted after", _days(NOTEBOOK_DAYS + 1)
    yield "a deleted or replaced object can be brought back for", _days(retention.old_versions)
    yield "logs expire after", _days(retention.logs)
    yield "... and are permanently deleted after", _days(retention.days_until_logs_are_deleted)
    yield "parts of an upload that was never completed", _days(retention.unfinished_uploads)
    tier = retention.tier
    yield (
        "photographs of 128 KiB and more move to Standard-IA",
        f"after {_days(tier)}" if tier else "never",
    )
    yield (
        "logs in CloudWatch: of the network, of runs on EMR Serverless",
        f"{_days(flow_log_days(retention))}, at most as long as their stack",
    )


def flow_log_days(retention: Retention) -> int:
    """Return the retention in CloudWatch: its longest choice within the setting."""
    return max(days for days in CLOUDWATCH_NAMES if days <= retention.logs)


def _days(n: int) -> str:
    return "1 day" if n == 1 else f"{n} days"
