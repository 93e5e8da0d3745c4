"""The changes that CloudTrail has recorded in the region: who asked, and with which outcome."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from operations.aws.clients import Client
from operations.aws.failures import is_denied

_SINCE = timedelta(hours=48)
# CloudTrail answers two requests a second, each with 50: a minute and a half at most.
_MOST = 10_000


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an API that changes something.

    ``role`` is the name of the role that asked, ``service`` the service that asked in its name;
    each empty where there is none.  ``error`` is empty where the call was taken.
    """

    name: str
    role: str
    service: str
    error: str

    @property
    def by_emr(self) -> bool:
        return self.service.startswith("elasticmapreduce")

    @property
    def was_denied(self) -> bool:
        return is_denied(self.error)


def recorded_calls(cloudtrail: Client, *, now: datetime | None = None) -> list[Call]:
    """Return the calls of the last two days, the newest first."""
    start = (now or datetime.now(UTC)) - _SINCE
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}], StartTime=start
    )
    events = (event for page in pages for event in page["Events"])
    return [_call(event["CloudTrailEvent"]) for event in islice(events, _MOST)]


def counted(calls: Sequence[Call], of_interest: Callable[[Call], bool]) -> str:
    """Return how often each was called and with which outcome, or nothing where none was."""
    outcomes = Counter(
        f"{call.name}, {call.error or 'taken'}" for call in calls if of_interest(call)
    )
    return "; ".join(f"{n} x {outcome}" for outcome, n in sorted(outcomes.items()))


def _call(text: str) -> Call:
    event = json.loads(text)
    identity = event.get("userIdentity", {})
    role = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("userName", "")
    service = identity.get("invokedBy") or ""
    return Call(event["eventName"], role, service, event.get("errorCode", ""))
