"""``fruits status --first-run``: what AWS's documents do not answer, read from a real account.

CloudTrail reaches 48 hours back, so that a deletion can be examined after it.
"""

import gzip
import json
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

from cdk_app.config import Environment, stack_name
from operations.aws.aws_errors import AWS_ERRORS, describe_aws_error, is_denied
from operations.aws.clients import Client
from operations.aws.stacks import describe_stack, outputs_of
from spark_assets.errors import FruitsError
from spark_assets.text.printable import printable_line

_NOT_SEEN = "not seen yet"
_N_EVENTS = 100
_TRAIL_PERIOD = timedelta(hours=48)
# CloudTrail answers two requests per second with 50 events each: a minute and a half at most.
_MAX_TRAIL_EVENTS = 10_000
Clients = Callable[[str], Client]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an API that changes something, from CloudTrail.

    ``role`` is the caller's role, ``service`` the service that called in its name, ``error`` the
    code of a refusal; each may be empty.
    """

    name: str
    role: str
    service: str
    error: str

    @property
    def by_emr(self) -> bool:
        return self.service.startswith("elasticmapreduce")


def first_run_lines(environment: Environment, clients: Clients) -> Iterator[str]:
    """Yield ``question: answer (source)`` for each question, as soon as it is answered."""
    questions: list[tuple[str, str, Callable[[], str]]] = [
        (
            "Do nodes start with EMR's certificates and without NAT",
            "EMR",
            lambda: _certificates(clients, environment),
        ),
        (
            "Does EMR take encryption of S3 for S3A",
            "EMR",
            lambda: _s3_encryption(clients, environment),
        ),
        (
            "Is python3.11 on the image",
            "log of the bootstrap action",
            lambda: _python(clients, environment),
        ),
        (
            "How does Step Functions name a failed job",
            "Step Functions",
            lambda: _job_error(clients, environment),
        ),
        (
            "Does the account take the budget",
            "CloudFormation",
            lambda: _budget(clients("cloudformation"), stack_name(environment, "data")),
        ),
    ]
    for question, source, read in questions:
        yield f"{question}: {_answer(read)} ({source})"
    yield from _trail_lines(environment, clients)


def recorded_calls(cloudtrail: Client) -> list[Call]:
    """Return the calls of the last two days, the newest first."""
    pages = cloudtrail.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ReadOnly", "AttributeValue": "false"}],
        StartTime=datetime.now(UTC) - _TRAIL_PERIOD,
    )
    events = (event for page in pages for event in page["Events"])
    return [_call(event["CloudTrailEvent"]) for event in islice(events, _MAX_TRAIL_EVENTS)]


def count_outcomes(calls: Sequence[Call], is_counted: Callable[[Call], bool]) -> str:
    """Return the number of calls by name and outcome; empty without such a call."""
    outcomes = Counter(f"{call.name}, {call.error or 'ok'}" for call in calls if is_counted(call))
    return "; ".join(f"{n} x {outcome}" for outcome, n in sorted(outcomes.items()))


def _trail_lines(environment: Environment, clients: Clients) -> Iterator[str]:
    questions: dict[str, Callable[[Call], bool]] = {
        "Does EMR ask for rules of security groups": lambda call: (
            call.by_emr and call.name.startswith("AuthorizeSecurityGroup")
        ),
        "What becomes of a schedule that is changed": lambda call: call.name == "UpdateSchedule",
        "Does EMR delete the secret of its certificates": lambda call: (
            call.by_emr and call.name in ("CreateSecret", "DeleteSecret")
        ),
        "Which rights do the roles of the stacks lack": lambda call: (
            is_denied(call.error) and call.role.startswith(f"fruits-{environment}-")
        ),
    }
    calls: list[Call] = []
    failure = ""
    try:
        calls = recorded_calls(clients("cloudtrail"))
    except AWS_ERRORS as error:
        failure = f"not known: {describe_aws_error(error)}"
    for question, is_counted in questions.items():
        answer = failure or count_outcomes(calls, is_counted) or _NOT_SEEN
        yield f"{question}: {answer} (CloudTrail)"


def _call(text: str) -> Call:
    event = json.loads(text)
    identity = event.get("userIdentity", {})
    role = identity.get("sessionContext", {}).get("sessionIssuer", {}).get("userName", "")
    service = identity.get("invokedBy") or ""
    return Call(event["eventName"], role, service, event.get("errorCode", ""))


def _answer(read: Callable[[], str]) -> str:
    try:
        return printable_line(read()) or _NOT_SEEN
    except AWS_ERRORS as error:
        return f"not known: {describe_aws_error(error)}"
    except FruitsError as error:
        return f"not known: {error}"


def _outputs(clients: Clients, environment: Environment, part: str) -> dict[str, str]:
    """Return the outputs of a stack; none without the stack."""
    stack = describe_stack(clients("cloudformation"), stack_name(environment, part))
    return {} if stack is None else outputs_of(stack)


def _cluster(clients: Clients, environment: Environment) -> Mapping[str, Any] | None:
    cluster_id = _outputs(clients, environment, "compute").get("ClusterId")
    if cluster_id is None:
        return None
    cluster: Mapping[str, Any] = clients("emr").describe_cluster(ClusterId=cluster_id)["Cluster"]
    return {"Id": cluster_id, **cluster}


def _certificates(clients: Clients, environment: Environment) -> str:
    if (cluster := _cluster(clients, environment)) is None:
        return ""
    is_on = _encryption(clients("emr"), cluster).get("EnableInTransitEncryption", False)
    status = cluster["Status"]
    reason = status.get("StateChangeReason", {}).get("Message", "")
    return (
        f"{'with' if is_on else 'without'} certificates, {status['State']}"
        f"{f' ({reason})' if reason else ''}"
    )


def _s3_encryption(clients: Clients, environment: Environment) -> str:
    if (cluster := _cluster(clients, environment)) is None:
        return ""
    at_rest = _encryption(clients("emr"), cluster).get("AtRestEncryptionConfiguration", {})
    mode = at_rest.get("S3EncryptionConfiguration", {}).get("EncryptionMode", "none")
    steps = clients("emr").list_steps(ClusterId=cluster["Id"])["Steps"]
    states = [step["Status"]["State"] for step in steps]
    return f"{mode}; {states.count('COMPLETED')} of {len(states)} steps completed"


def _encryption(emr: Client, cluster: Mapping[str, Any]) -> Mapping[str, Any]:
    name = cluster["SecurityConfiguration"]
    text = emr.describe_security_configuration(Name=name)["SecurityConfiguration"]
    found: Mapping[str, Any] = json.loads(text)["EncryptionConfiguration"]
    return found


def _python(clients: Clients, environment: Environment) -> str:
    outputs = _outputs(clients, environment, "compute")
    if "ClusterId" not in outputs:
        return ""
    s3, folder = clients("s3"), f"{outputs['LogUri'].rstrip('/')}/{outputs['ClusterId']}/node/"
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for key in (each["Key"] for page in pages for each in page.get("Contents", ())):
        if re.search(r"/bootstrap-actions/\d+/stdout\.gz$", key):
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            try:
                text = gzip.decompress(body).decode(errors="replace")
            except (EOFError, gzip.BadGzipFile, zlib.error):
                continue
            if found := re.search(r"^bootstrap: python3\.11 comes from (.*)$", text, re.M):
                return f"it comes from {found[1]}"
    return ""


def _job_error(clients: Clients, environment: Environment) -> str:
    arn = _outputs(clients, environment, "serverless").get("StateMachineArn")
    if arn is None:
        return ""
    states = clients("stepfunctions")
    failed = states.list_executions(stateMachineArn=arn, statusFilter="FAILED", maxResults=1)
    for execution in failed["executions"]:
        history = states.get_execution_history(
            executionArn=execution["executionArn"], maxResults=_N_EVENTS, reverseOrder=True
        )
        for event in history["events"]:
            if error := event.get("taskFailedEventDetails", {}).get("error"):
                return str(error)
    return ""


def _budget(cloudformation: Client, stack: str) -> str:
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in (event for page in pages for event in page["StackEvents"]):  # the newest first
        if event["ResourceType"] == "AWS::Budgets::Budget":
            reason = event.get("ResourceStatusReason", "")
            return f"{event['ResourceStatus']}{f' ({reason})' if reason else ''}"
    return ""
