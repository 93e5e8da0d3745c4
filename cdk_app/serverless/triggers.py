"""The triggers of a run, where configured: a schedule, or an object in a bucket."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app.config import PipelineConfig

# Beside the photographs and not among them: featurize lists all that is below images/.
START_MARKER = "start/run"


class Triggers(Construct):
    """The rules that start an execution, with a role that can do nothing else."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        machine: sfn.IStateMachine,
        raw: s3.IBucket,
    ) -> None:
        super().__init__(scope, construct_id)
        if not config.schedule and not config.start_on_marker:
            return
        role = iam.Role(
            self,
            "Role",
            description="Fruits!: EventBridge starts a run",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
        )
        target = targets.SfnStateMachine(
            machine,
            role=role,
            # The run reads the bucket and needs nothing of the event.
            input=events.RuleTargetInput.from_object({}),
            # A run that starts late is of no use to a schedule that goes on.
            retry_attempts=3,
        )
        if config.schedule:
            events.Rule(
                self,
                "Schedule",
                description="Fruits!: starts a run by the clock",
                schedule=events.Schedule.expression(config.schedule),
                targets=[target],
            )
        if config.start_on_marker:
            events.Rule(
                self,
                "Marker",
                description=f"Fruits!: starts a run when {START_MARKER} comes into the raw bucket",
                event_pattern=events.EventPattern(
                    source=["aws.s3"],
                    detail_type=["Object Created"],
                    detail={
                        "bucket": {"name": [raw.bucket_name]},
                        "object": {"key": [START_MARKER]},
                    },
                ),
                targets=[target],
            )
