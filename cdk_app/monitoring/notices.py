"""Where a person is told: one topic, encrypted, to which an address may be subscribed."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from cdk_app.config import PipelineConfig
from cdk_app.storage import NOTICE_SERVICES


class Notices(Construct):
    """A topic that takes messages over TLS only.

    AWS Budgets and CloudWatch may publish for this account. Roles have that right in their own
    policies, and rules of EventBridge by being given the topic. Without ``alarm_email`` nobody is
    subscribed.
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
