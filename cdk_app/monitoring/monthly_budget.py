"""The monthly budget, in the data stack: a budget that AWS refuses never takes a cluster along."""

from aws_cdk import aws_budgets as budgets
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.monitoring.notices import Notices

_WARN_AT_PERCENT = (80, 100)


class MonthlyBudget(Construct):
    """A budget of ``budget_usd_per_month`` whose notices go to the topic; 0 makes none.

    AWS Budgets counts a tag only once it is activated as a cost allocation tag, by hand and a day
    after its first use.  The budget of ``test`` counts the whole account instead and works from the
    first hour; that of ``prod``, where an account may have other uses, counts the tag ``project``.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, notices: Notices
    ) -> None:
        super().__init__(scope, construct_id)
        if not config.budget_usd_per_month:
            return
        tag = f"user:project${config.tags['project']}"
        subscriber = budgets.CfnBudget.SubscriberProperty(
            subscription_type="SNS", address=notices.topic.topic_arn
        )
        budget = budgets.CfnBudget(
            self,
            "Budget",
            budget=budgets.CfnBudget.BudgetDataProperty(
                budget_type="COST",
                time_unit="MONTHLY",
                budget_limit=budgets.CfnBudget.SpendProperty(
                    amount=config.budget_usd_per_month, unit="USD"
                ),
                cost_filters={"TagKeyValue": [tag]} if config.is_kept else None,
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
        )
        # AWS Budgets tries to write to the topic when the budget is made.
        policy = notices.topic.node.try_find_child("Policy")
        assert policy is not None
        budget.node.add_dependency(policy)
