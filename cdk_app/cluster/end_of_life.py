"""The last guard against a cluster that is forgotten: it ends at a fixed time, whatever it does."""

from datetime import datetime

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

# Scheduler calls the API itself; nothing of ours runs.
_TERMINATE = "arn:aws:scheduler:::aws-sdk:emr:terminateJobFlows"
_TRY_FOR_SECONDS = 24 * 3600


class EndOfLife(Construct):
    """A schedule that terminates one cluster once, with a role that can do nothing else.

    ``ends_at`` is in UTC.  It comes from outside, and not from the clock of the account: a schedule
    by the hour would fire for the first time as soon as it is made.  The schedule stays when it has
    fired, so that the stack can still be changed, and goes with the stack.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, cluster_id: str, ends_at: datetime
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description="Fruits!: Scheduler ends the cluster at the end of its life",
            # The name of the schedule is not known before it is made, and its role has to be.
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        policy = iam.Policy(
            self,
            "Policy",
            roles=[role],
            statements=[
                iam.PolicyStatement(
                    sid="EndTheCluster",
                    actions=["elasticmapreduce:TerminateJobFlows"],
                    resources=[
                        stack.format_arn(
                            service="elasticmapreduce",
                            resource="cluster",
                            resource_name=cluster_id,
                            arn_format=ArnFormat.SLASH_RESOURCE_NAME,
                        )
                    ],
                )
            ],
        )
        self.schedule = scheduler.CfnSchedule(
            self,
            "Schedule",
            description="Fruits!: ends the cluster, however busy it is",
            schedule_expression=f"at({ends_at:%Y-%m-%dT%H:%M:%S})",
            schedule_expression_timezone="UTC",
            flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
            target=scheduler.CfnSchedule.TargetProperty(
                arn=_TERMINATE,
                role_arn=role.role_arn,
                input=stack.to_json_string({"JobFlowIds": [cluster_id]}),
                retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                    maximum_event_age_in_seconds=_TRY_FOR_SECONDS
                ),
            ),
        )
        self.schedule.node.add_dependency(policy)
