"""The alarm on an idle cluster and the notices of failures."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.monitoring.dashboard import Dashboard, EmrMetrics

_IDLE_PERIOD = Duration.minutes(5)
_N_IDLE_PERIODS = 6


class ClusterAlarms(Construct):
    """An alarm, two rules and a dashboard; their notices go to ``topic``."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        cluster_id: str,
        topic: sns.ITopic,
    ) -> None:
        super().__init__(scope, construct_id)
        self._topic = topic
        metrics = EmrMetrics(cluster_id)
        self._alarm_when_idle(metrics)
        self._notify_on_failure(cluster_id)
        Dashboard(self, "Dashboard", config=config, metrics=metrics)

    def _alarm_when_idle(self, metrics: EmrMetrics) -> None:
        """Notify of a cluster that has been idle for half an hour."""
        alarm = cloudwatch.Alarm(
            self,
            "Idle",
            alarm_description="Fruits!: the cluster is up and has had no work for 30 minutes",
            # The least of each period: an hour with a minute of work is not an idle one.
            metric=metrics.metric("IsIdle", statistic="Minimum", period=_IDLE_PERIOD),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_N_IDLE_PERIODS,
            # A terminated cluster sends no metrics, which is no alarm.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))

    def _notify_on_failure(self, cluster_id: str) -> None:
        watched = {
            "StepFailed": (
                "a step has failed",
                "EMR Step Status Change",
                {"clusterId": [cluster_id], "state": ["FAILED"]},
            ),
            "ClusterFailed": (
                "the cluster has ended with errors",
                "EMR Cluster State Change",
                {"clusterId": [cluster_id], "state": ["TERMINATED_WITH_ERRORS"]},
            ),
        }
        for name, (what, detail_type, detail) in watched.items():
            events.Rule(
                self,
                name,
                description=f"Fruits!: {what}",
                event_pattern=events.EventPattern(
                    source=["aws.emr"], detail_type=[detail_type], detail=detail
                ),
                targets=[
                    targets.SnsTopic(
                        self._topic,
                        # The state and the ids; the message of EMR could name a photograph.
                        message=events.RuleTargetInput.from_text(
                            f"Fruits!: {what}, of {cluster_id}; look at it with: fruits status"
                        ),
                    )
                ],
            )
