"""Rights taken away one at a time, and what of the rehearsal would then have been refused."""

import json
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from tests.emulated_aws.judging import Policies, refused
from tests.emulated_aws.permissions import RECORD_PATH
from tests.emulated_aws.s3_permissions import Access
from tests.infrastructure.policies import Statement, listed

# Rights that nothing asks for which is rehearsed, by the beginning of their names, and who does.
NOT_ASKED_FOR = {
    "node: role, UseKey: kms:DescribeKey": "EMR, which encrypts the disks of a node",
    "node: role, UseKey: kms:Encrypt": "EMR, which encrypts the disks of a node",
    "job: role, UseKey: kms:DescribeKey": "EMR Serverless, which encrypts the logs of a job",
    "job: role, UseKey: kms:Encrypt": "EMR Serverless, which encrypts the logs of a job",
    "node: role, WriteEventLog: s3:AbortMultipartUpload": "Spark, where an upload fails",
    "node: endpoint, WriteEventLog: s3:AbortMultipartUpload": "Spark, where an upload fails",
    "node: endpoint, ReadPackages": "EMR, which installs a node from buckets of AWS",
    "node: endpoint, WriteEmrLogs": "EMR, which writes its own logs to a bucket of AWS",
}


@dataclass(frozen=True)
class Judgement:
    """A request as the emulator judged it: who asked with which client, and for what."""

    kind: str
    client: str
    accesses: tuple[Access, ...]
    is_refused: bool


@dataclass(frozen=True)
class Judged:
    """All that was held against policies, and the policies, by the kind of role."""

    requests: Sequence[Judgement]
    policies: Mapping[str, Policies]

    def unneeded_rights(self) -> list[str]:
        """Return the rights without which every request that was allowed still would be.

        A right is an action, a resource or a value of a condition, of one statement.
        """
        return [
            f"{kind}: {right}"
            for kind, policies in self.policies.items()
            for right, fewer in _without_one(policies)
            if refused(self._allowed(kind), fewer) is None
        ]

    def _allowed(self, kind: str) -> Collection[Access]:
        """Return all accesses of a kind of role, each once."""
        return {
            json.dumps(asdict(access), sort_keys=True): access
            for request in self.requests
            if request.kind == kind and not request.is_refused
            for access in request.accesses
        }.values()


def read_judged(endpoint: str) -> Judged:
    """Return what an emulator has recorded."""
    with urllib.request.urlopen(f"{endpoint}{RECORD_PATH}") as answer:
        told = json.load(answer)
    return Judged(
        [
            Judgement(**{**each, "accesses": tuple(Access(**one) for one in each["accesses"])})
            for each in told["requests"]
        ],
        {kind: Policies(**each) for kind, each in told["policies"].items()},
    )


def _without_one(policies: Policies) -> Iterator[tuple[str, Policies]]:
    for right, fewer in _fewer(policies.role):
        yield f"role, {right}", replace(policies, role=fewer)
    for right, fewer in _fewer(policies.endpoint or ()):
        yield f"endpoint, {right}", replace(policies, endpoint=fewer)
    for arn, statements in policies.of_keys.items():
        for right, fewer in _fewer(statements):
            yield f"key, {right}", replace(policies, of_keys={**policies.of_keys, arn: fewer})


def _fewer(statements: Sequence[Statement]) -> Iterator[tuple[str, Sequence[Statement]]]:
    for index, statement in enumerate(statements):
        if statement["Effect"] == "Allow" and "Service" not in statement.get("Principal", {}):
            for right, fewer in _narrower(statement):
                name = f"{statement.get('Sid', 'without a name')}: {right}"
                yield name, [*statements[:index], fewer, *statements[index + 1 :]]


def _narrower(statement: Statement) -> Iterator[tuple[str, Statement]]:
    for part in ("Action", "Resource"):
        for value, others in _others(statement[part]):
            yield value, {**statement, part: others}
    conditions = statement.get("Condition", {})
    for operator, keys in conditions.items():
        for key, values in keys.items():
            for value, others in _others(values):
                narrowed = {**conditions, operator: {**keys, key: others}}
                yield f"{key} {value}", {**statement, "Condition": narrowed}


def _others(values: Any) -> Iterator[tuple[str, list[str]]]:
    for value in listed(values):
        yield value, [each for each in listed(values) if each != value]
