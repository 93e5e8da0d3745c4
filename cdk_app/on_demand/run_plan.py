"""All that a run on demand depends on, as one value for the constructs of its states."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_sns as sns

from cdk_app.config import PipelineConfig
from cdk_app.network import Network
from cdk_app.steps import Step

# What EMR takes to end a cluster after its idle time, with some to spare.
_IDLE_MARGIN_MINUTES = 10
# For endpoints to come up, the cluster to end and endpoints to go, with their retries.
_AROUND_A_RUN_HOURS = 4


@dataclass(frozen=True, slots=True)
class RunPlan:
    """What a run makes, where, and until when.

    ``create_cluster`` are the parameters of the task of that name; ``cluster_name`` is what the
    name of its cluster begins with; ``steps`` run in their order.
    """

    config: PipelineConfig
    network: Network
    create_cluster: Mapping[str, Any]
    cluster_name: str
    steps: tuple[Step, ...]
    topic: sns.ITopic
    report_uri: str

    @property
    def idle_end(self) -> Duration:
        """How long after its last work an idle cluster has surely ended."""
        return Duration.minutes(self.config.idle_timeout_minutes + _IDLE_MARGIN_MINUTES)

    @property
    def time_left(self) -> str:
        """The seconds until the steps have to be over, added to what a state is given.

        JSONata, for the other language of Step Functions cannot calculate with times. A time-out
        of the whole execution would not do: it leaves no state to end the cluster in.
        """
        limit_s = self.config.run_timeout_hours * 3600
        return (
            "{% $merge([$states.input, {'seconds_left': $max([1, $floor("
            f"($toMillis($states.context.Execution.StartTime) - $millis()) / 1000 + {limit_s}"
            ")])}]) %}"
        )

    @property
    def last_resort(self) -> Duration:
        """How long an execution can take at all; nothing is cleaned up after that."""
        return Duration.hours(self.config.run_timeout_hours + _AROUND_A_RUN_HOURS).plus(
            self.idle_end.plus(self.idle_end)
        )

    @property
    def success_message(self) -> str:
        return f"A run of Fruits! is complete. Its report: {self.report_uri}"

    @property
    def failure_message(self) -> str:
        """The notice of a failure, with places for a state, the run and what is left behind.

        The reason that AWS gives is not in it: EMR's can name a photograph, and this is an e-mail.
        """
        option = f" --environment {self.config.environment}" if self.config.is_kept else ""
        return (
            "A run of Fruits! failed in the state {}. Run: {}. {} "
            f"Look at the reason with: fruits status --on-demand{option}"
        )
