"""Following the steps of the chain to their end, a line at each change of state."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from operations.aws.clients import Client
from operations.aws.clusters import Cluster, Step, describe_cluster, describe_steps
from operations.aws.wording import duration
from spark_assets.runtime.progress import say

Sleep = Callable[[float], None]
Clock = Callable[[], float]


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
    start = clock()
    told: dict[str, str] = {}
    while True:
        # The cluster first: the steps of one that has ended do not change after this.
        cluster = describe_cluster(emr, cluster_id)
        seen = Followed(cluster, tuple(describe_steps(emr, cluster_id, step_ids)))
        for name, state, line in _lines(seen):
            if told.get(name) != state:
                told[name] = state
                say(f"{duration(clock() - start):>12}  {line}")
        if only_once or seen.is_over or cluster.has_ended:
            return seen
        sleep(interval_s)


def _lines(seen: Followed) -> list[tuple[str, str, str]]:
    """Return what has a state, that state, and the line about it."""
    cluster = seen.cluster
    lines = [("cluster", cluster.state, f"cluster {cluster.cluster_id} {cluster.state}")]
    lines.extend((step.step_id, step.state, _step_line(step, seen.failed)) for step in seen.steps)
    return lines


def _step_line(step: Step, failed: Step | None) -> str:
    line = f"{step.name} {step.state}"
    if step.state == "CANCELLED" and failed is not None:
        return f"{line}, because {failed.name} failed"
    return line if step.wall_time_s is None else f"{line} after {duration(step.wall_time_s)}"
