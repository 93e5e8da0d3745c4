"""State of the cluster and its steps, as EMR reports it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import botocore.exceptions

from cdk_app.config import Environment
from operations.aws.clients import Client
from operations.command_lines import fruits_command
from spark_assets.storage.s3 import error_code
from spark_assets.text.numbers import minutes
from spark_assets.text.printable import printable_line

# The name of the step that executes a notebook.
NOTEBOOK = "notebook"

_ENDED = ("TERMINATED", "TERMINATED_WITH_ERRORS")
_STEP_OVER = ("COMPLETED", "FAILED", "CANCELLED", "INTERRUPTED")


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster; ``reason`` is EMR's message about its last change of state, or empty."""

    cluster_id: str
    state: str
    reason: str

    @property
    def has_ended(self) -> bool:
        return self.state in _ENDED

    @property
    def takes_steps(self) -> bool:
        return not self.has_ended and self.state != "TERMINATING"


@dataclass(frozen=True, slots=True)
class Step:
    """A step.  Times are None before they are reached; ``failure`` is EMR's message.

    ``arguments`` is its command line.
    """

    step_id: str
    name: str
    state: str
    failure: str
    started_at: datetime | None
    ended_at: datetime | None
    arguments: tuple[str, ...] = ()

    @property
    def is_over(self) -> bool:
        return self.state in _STEP_OVER

    @property
    def wall_time_s(self) -> float | None:
        if self.started_at is None or self.ended_at is None:
            return None
        return (self.ended_at - self.started_at).total_seconds()


@dataclass(frozen=True, slots=True)
class StepsProgress:
    """A cluster and the steps that are followed on it."""

    cluster: Cluster
    steps: tuple[Step, ...]

    @property
    def lines(self) -> list[str]:
        return [
            f"cluster {self.cluster.cluster_id} {self.cluster.state}",
            *map(self._step_line, self.steps),
        ]

    @property
    def is_over(self) -> bool:
        return self.cluster.has_ended or all(step.is_over for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return all(step.state == "COMPLETED" for step in self.steps)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.state == "FAILED"), None)

    def _step_line(self, step: Step) -> str:
        line = f"{step.name} {step.state}"
        if step.state == "CANCELLED" and self.failed is not None:
            return f"{line}, because {self.failed.name} failed"
        return line if step.wall_time_s is None else f"{line} after {minutes(step.wall_time_s)}"


def read_progress(emr: Client, cluster_id: str, step_ids: Sequence[str]) -> StepsProgress:
    """Return the state of a cluster and of some of its steps."""
    # The cluster first: after its end its steps do not change.
    cluster = describe_cluster(emr, cluster_id)
    return StepsProgress(cluster, tuple(describe_steps(emr, cluster_id, step_ids)))


def describe_cluster(emr: Client, cluster_id: str) -> Cluster:
    """Return the state of a cluster; one that EMR no longer knows has ended."""
    try:
        status = emr.describe_cluster(ClusterId=cluster_id)["Cluster"]["Status"]
    except botocore.exceptions.ClientError as error:
        if _is_unknown(error):
            return Cluster(cluster_id, "TERMINATED", "EMR does not know it any more")
        raise
    reason = status.get("StateChangeReason", {}).get("Message", "")
    return Cluster(cluster_id, status["State"], printable_line(reason))


def newest_steps(emr: Client, cluster_id: str, names: Sequence[str]) -> list[str]:
    """Return the ids of the newest step of each name, in the order in which they run.

    A notebook that was submitted after them comes last.
    """
    found: dict[str, str] = {}
    try:
        for page in emr.get_paginator("list_steps").paginate(ClusterId=cluster_id):
            for step in page["Steps"]:  # the newest first
                if step["Name"] in (*names, NOTEBOOK):
                    found.setdefault(step["Name"], step["Id"])
            if found.keys() >= {*names}:
                break
    except botocore.exceptions.ClientError as error:
        if not _is_unknown(error):
            raise
    newest = next(iter(found), None)
    in_order = [*names, NOTEBOOK] if newest == NOTEBOOK else names
    return [found[name] for name in in_order if name in found]


def describe_steps(emr: Client, cluster_id: str, step_ids: Sequence[str]) -> list[Step]:
    """Return the steps in the order of their ids."""
    answer = emr.list_steps(ClusterId=cluster_id, StepIds=list(step_ids))
    by_id = {step["Id"]: _step(step) for step in answer["Steps"]}
    return [by_id[step_id] for step_id in step_ids]


def ended_sentence(cluster: Cluster, environment: Environment) -> str:
    """Return the sentence that a cluster has ended, why, and how to make a new one."""
    reason = f" ({cluster.reason.rstrip('.')})" if cluster.reason else ""
    idle = "" if cluster.state == "TERMINATED_WITH_ERRORS" else ", as it does when it has been idle"
    return (
        f"the cluster {cluster.cluster_id} has ended{idle}: {cluster.state}{reason}; make a new "
        f"one with: {fruits_command('destroy', environment)}, then "
        f"{fruits_command('deploy', environment)}"
    )


def _is_unknown(error: botocore.exceptions.ClientError) -> bool:
    """Return whether EMR no longer knows a cluster, which is so two months after its end."""
    return error_code(error) == "InvalidRequestException" and "is not valid" in str(error)


def _step(step: Mapping[str, Any]) -> Step:
    status = step["Status"]
    details = status.get("FailureDetails", {})
    messages = [details.get("Reason"), details.get("Message")]
    timeline = status.get("Timeline", {})
    return Step(
        step["Id"],
        printable_line(step["Name"]),
        status["State"],
        printable_line(" ".join(text for text in messages if text)),
        timeline.get("StartDateTime"),
        timeline.get("EndDateTime"),
        tuple(step.get("Config", {}).get("Args", ())),
    )
