"""Who tells when something is wrong with the cluster, or with what it costs."""

from aws_cdk import Duration
from aws_cdk import aws_budgets as budgets
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.monitoring.dashboard import Dashboard
from cdk_app.monitoring.emr_metrics import EmrMetrics
from cdk_app.monitoring.notices import Notices
from cdk_app.storage import NOTICE_SERVICES

_IDLE_PERIOD = Duration.minutes(5)
_N_IDLE_PERIODS = 6
_WARN_AT_PERCENT = (80, 100)


class Monitoring(Construct):
    """An alarm, two rules, a budget and a dashboard; all notices go to one topic."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        cluster_id: str,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        notices = Notices(self, "Notices", config=config, key=key, publishers=NOTICE_SERVICES)
        self.topic = notices.topic
        metrics = EmrMetrics(cluster_id)
        self._alarm_when_idle(metrics)
        self._tell_of_failures(cluster_id)
        self._watch_the_cost(config)
        Dashboard(self, "Dashboard", config=config, metrics=metrics)

    def _alarm_when_idle(self, metrics: EmrMetrics) -> None:
        """Tell of a cluster that is up and has had no work for half an hour."""
        alarm = cloudwatch.Alarm(
            self,
            "Idle",
            alarm_description="Fruits!: the cluster is up and has had no work for 30 minutes",
            # The least of each period: an hour with a minute of work is not an idle one.
            metric=metrics.metric("IsIdle", statistic="Minimum", period=_IDLE_PERIOD),
            threshold=1,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
            evaluation_periods=_N_IDLE_PERIODS,
            # A cluster that has ended says nothing, and that is how it should be.
            treat_missing_data=cloudwatch.TreatMissingData.NOT_BREACHING,
        )
        alarm.add_alarm_action(actions.SnsAction(self.topic))

    def _tell_of_failures(self, cluster_id: str) -> None:
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
                        self.topic,
                        # The state and the ids; the message of EMR could name a photograph.
                        message=events.RuleTargetInput.from_text(
                            f"Fruits!: {what}, of {cluster_id}; look at it with: fruits status"
                        ),
                    )
                ],
            )

    def _watch_the_cost(self, config: PipelineConfig) -> None:
        """Tell when the month has cost so much; it counts what carries the tag of the project.

        AWS counts a tag only once it is activated for cost allocation in the billing console.
        """
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="SNS", address=self.topic.topic_arn
        )
        budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=config.budget_usd_per_month, unit="USD"
                ),
                cost_filters={"TagKeyValue": [f"user:project${config.tags['project']}"]},
            ),
            notifications_with_subscribers=[
                budgets.CfnBudget.NotificationWithSubscribersProperty(
                    notification=budgets.CfnBudget.NotificationProperty(
                        notification_type="ACTUAL",
                        comparison_operator="GREATER_THAN",
                        threshold=percent,
                        threshold_type="PERCENTAGE",
                    ),
                    subscribers=[subscriber],
                )
                for percent in _WARN_AT_PERCENT
            ],
        ).node.add_dependency(self._policy_of(self.topic))

    def _policy_of(self, topic: sns.Topic) -> Construct:
        """Return what lets Budgets write to the topic, which it tries when the budget is made."""
        policy = topic.node.try_find_child("Policy")
        assert isinstance(policy, Construct)
        return policy
