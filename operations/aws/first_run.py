"""What only an account tells of a first run: one line for each question, with where it was seen.

The questions are those that no document answers.  The trail reaches two days back, so that what
happens when the stack is deleted can be asked for after it.
"""

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterator
from functools import partial

from cdk_app.config import Environment, stack_name
from operations.aws.clients import Client
from operations.aws.failures import AWS_ERRORS, is_missing_stack, sentence_of_aws
from operations.aws.trail import Call, counted, recorded_calls
from spark_assets.errors import FruitsError
from spark_assets.text.printable import printable_line

_NOT_SEEN = "not seen yet"
_N_EVENTS = 100
Clients = Callable[[str], Client]


def first_run_lines(environment: Environment, clients: Clients) -> Iterator[str]:
    """Yield ``question: answer (source)`` for each question, as its answer comes."""
    compute = partial(_outputs, clients, stack_name(environment, "compute"))
    questions: list[tuple[str, str, Callable[[], str]]] = [
        (
            "Do nodes start with EMR's certificates and without NAT",
            "EMR",
            lambda: _certificates(clients("emr"), compute()),
        ),
        (
            "Does EMR take encryption of S3 for S3A",
            "EMR",
            lambda: _s3_encryption(clients("emr"), compute()),
        ),
        (
            "Is python3.11 on the image",
            "log of the bootstrap action",
            lambda: _python(clients("s3"), compute()),
        ),
        (
            "How does Step Functions name a failed job",
            "Step Functions",
            lambda: _job_error(clients, stack_name(environment, "serverless")),
        ),
        (
            "Does the account take the budget",
            "CloudFormation",
            lambda: _budget(clients("cloudformation"), stack_name(environment, "data")),
        ),
    ]
    for question, source, ask in questions:
        yield f"{question}: {_answer(ask)} ({source})"
    yield from _trail_lines(environment, clients)


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
            call.was_denied and call.role.startswith(f"fruits-{environment}-")
        ),
    }
    calls: list[Call] = []
    failure = ""
    try:
        calls = recorded_calls(clients("cloudtrail"))
    except AWS_ERRORS as error:
        failure = f"not known: {sentence_of_aws(error)}"
    for question, of_interest in questions.items():
        yield f"{question}: {failure or counted(calls, of_interest) or _NOT_SEEN} (CloudTrail)"


def _answer(ask: Callable[[], str]) -> str:
    try:
        return printable_line(ask()) or _NOT_SEEN
    except AWS_ERRORS as error:
        return f"not known: {sentence_of_aws(error)}"
    except FruitsError as error:
        return f"not known: {error}"


def _outputs(clients: Clients, name: str) -> dict[str, str]:
    """Return the outputs of a stack; none of one that is not there."""
    try:
        stack = clients("cloudformation").describe_stacks(StackName=name)["Stacks"][0]
    except AWS_ERRORS as error:
        if is_missing_stack(error):
            return {}
        raise
    return {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", ())}


def _certificates(emr: Client, outputs: dict[str, str]) -> str:
    if "ClusterId" not in outputs:
        return ""
    cluster = emr.describe_cluster(ClusterId=outputs["ClusterId"])["Cluster"]
    is_on = _encryption(emr, cluster).get("EnableInTransitEncryption", False)
    reason = cluster["Status"].get("StateChangeReason", {}).get("Message", "")
    told = f" ({reason})" if reason else ""
    return f"{'with' if is_on else 'without'} certificates, {cluster['Status']['State']}{told}"


def _s3_encryption(emr: Client, outputs: dict[str, str]) -> str:
    if "ClusterId" not in outputs:
        return ""
    cluster = emr.describe_cluster(ClusterId=outputs["ClusterId"])["Cluster"]
    at_rest = _encryption(emr, cluster).get("AtRestEncryptionConfiguration", {})
    mode = at_rest.get("S3EncryptionConfiguration", {}).get("EncryptionMode", "none")
    steps = emr.list_steps(ClusterId=outputs["ClusterId"])["Steps"]
    states = [step["Status"]["State"] for step in steps]
    return f"{mode}; {states.count('COMPLETED')} of {len(states)} steps completed"


def _encryption(emr: Client, cluster: dict[str, str]) -> dict[str, dict[str, dict[str, str]]]:
    name = cluster["SecurityConfiguration"]
    told = emr.describe_security_configuration(Name=name)["SecurityConfiguration"]
    found: dict[str, dict[str, dict[str, str]]] = json.loads(told)["EncryptionConfiguration"]
    return found


def _python(s3: Client, outputs: dict[str, str]) -> str:
    if "ClusterId" not in outputs:
        return ""
    folder = f"{outputs['LogUri'].rstrip('/')}/{outputs['ClusterId']}/node/"
    bucket, _, prefix = folder.removeprefix("s3://").partition("/")
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        for each in page.get("Contents", ()):
            if re.search(r"/bootstrap-actions/\d+/stdout\.gz$", each["Key"]):
                body = s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
                try:
                    text = gzip.decompress(body).decode(errors="replace")
                except (EOFError, gzip.BadGzipFile, zlib.error):
                    continue
                if found := re.search(r"^bootstrap: python3\.11 comes from (.*)$", text, re.M):
                    return f"it comes from {found[1]}"
    return ""


def _job_error(clients: Clients, stack: str) -> str:
    arn = _outputs(clients, stack).get("StateMachineArn")
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
    for page in pages:
        for event in page["StackEvents"]:  # the newest first
            if event["ResourceType"] == "AWS::Budgets::Budget":
                reason = event.get("ResourceStatusReason", "")
                return f"{event['ResourceStatus']}{f' ({reason})' if reason else ''}"
    return ""
