"""The topic for notices: encrypted, with an e-mail address if one is configured."""

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk_app.config import PipelineConfig, stack_name
from cdk_app.storage import NOTICE_SERVICES


class Notices(Construct):
    """A topic that takes messages over TLS only.

    AWS Budgets and CloudWatch may publish for this account. Roles have that right in their own
    policies, and rules of EventBridge as their target. Without ``alarm_email`` nobody is
    subscribed.  The notice of a compute stack whose deletion fails comes from here.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, config: PipelineConfig, key: kms.IKey
    ) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(self, "Topic", master_key=key, enforce_ssl=True)
        for service in NOTICE_SERVICES:
            self.topic.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"From{service.partition('.')[0].title()}",
                    principals=[iam.ServicePrincipal(service)],
                    actions=["sns:Publish"],
                    resources=[self.topic.topic_arn],
                    conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
                )
            )
        if config.alarm_email:
            # AWS asks the address first, and sends nothing before it has agreed.
            self.topic.add_subscription(subscriptions.EmailSubscription(config.alarm_email))
        self._notify_on_failed_deletion(config)

    def _notify_on_failed_deletion(self, config: PipelineConfig) -> None:
        """Notify of a compute stack left half deleted: its own rules may be deleted by then."""
        name = stack_name(config.environment, "compute")
        any_stack_of_that_name = Stack.of(self).format_arn(
            service="cloudformation", resource="stack", resource_name=f"{name}/"
        )
        option = f" --environment {config.environment}" if config.is_kept else ""
        events.Rule(
            self,
            "DeletionFailed",
            description=f"Fruits!: the stack {name} could not be deleted",
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={
                    "stack-id": [{"prefix": any_stack_of_that_name}],
                    "status-details": {"status": ["DELETE_FAILED"]},
                },
            ),
            targets=[
                targets.SnsTopic(
                    self.topic,
                    message=events.RuleTargetInput.from_text(
                        f"Fruits!: the stack {name} could not be deleted, and its remaining "
                        f"resources may cost money; delete it with: fruits destroy{option}"
                    ),
                )
            ],
        )
