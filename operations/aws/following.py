"""Following what changes in AWS to its end, a line at each change of state."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from operations.aws.clients import Client
from operations.aws.clusters import Cluster, Step, describe_cluster, describe_steps
from spark_assets.runtime.progress import echo
from spark_assets.text.numbers import minutes

Sleep = Callable[[float], None]
Clock = Callable[[], float]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Followed:
    """The last that was seen of a cluster and of the steps that were followed."""

    cluster: Cluster
    steps: tuple[Step, ...]

    @property
    def is_over(self) -> bool:
        return all(step.is_over for step in self.steps)

    @property
    def is_complete(self) -> bool:
        return all(step.state == "COMPLETED" for step in self.steps)

    @property
    def failed(self) -> Step | None:
        return next((step for step in self.steps if step.state == "FAILED"), None)


def follow(
    emr: Client,
    cluster_id: str,
    step_ids: Sequence[str],
    *,
    interval_s: float,
    only_once: bool = False,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> Followed:
    """Look every ``interval_s`` seconds until all steps, or the cluster, have come to an end."""

    def look() -> Followed:
        # The cluster first: the steps of one that has ended do not change after this.
        cluster = describe_cluster(emr, cluster_id)
        return Followed(cluster, tuple(describe_steps(emr, cluster_id, step_ids)))

    return watch(
        look,
        _lines,
        lambda seen: seen.is_over or seen.cluster.has_ended,
        interval_s=interval_s,
        limit_s=0 if only_once else math.inf,
        sleep=sleep,
        clock=clock,
    )


def watch(
    look: Callable[[], _T],
    lines: Callable[[_T], Sequence[str]],
    is_over: Callable[[_T], bool],
    *,
    interval_s: float,
    limit_s: float = math.inf,
    sleep: Sleep = time.sleep,
    clock: Clock = time.monotonic,
) -> _T:
    """Look every ``interval_s`` seconds until it is over, or ``limit_s`` seconds have passed.

    Each line that was not there at the look before is told, with the time.  Returns what was seen
    last.
    """
    start = clock()
    told: Sequence[str] = ()
    while True:
        seen = look()
        now = lines(seen)
        for line in now:
            if line not in told:
                echo(f"{minutes(clock() - start):>12}  {line}")
        told = now
        if is_over(seen) or clock() - start >= limit_s:
            return seen
        sleep(interval_s)


def _lines(seen: Followed) -> list[str]:
    cluster = seen.cluster
    steps = (_step_line(step, seen.failed) for step in seen.steps)
    return [f"cluster {cluster.cluster_id} {cluster.state}", *steps]


def _step_line(step: Step, failed: Step | None) -> str:
    line = f"{step.name} {step.state}"
    if step.state == "CANCELLED" and failed is not None:
        return f"{line}, because {failed.name} failed"
    return line if step.wall_time_s is None else f"{line} after {minutes(step.wall_time_s)}"
