"""The last guard against a forgotten cluster: at a fixed time it ends, and its stack is deleted."""

from datetime import datetime
from typing import Any

from aws_cdk import ArnFormat, DefaultStackSynthesizer, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

# Scheduler calls the APIs itself; nothing of ours runs.
_API = "arn:aws:scheduler:::aws-sdk:"
_TRY_FOR_SECONDS = 24 * 3600


class MaximumLifetime(Construct):
    """Two schedules that fire once, at ``ends_at`` in UTC, with a role that can do nothing else.

    The one deletes the whole stack: its interface endpoints are billed by the hour as long as they
    are there, cluster or not.  CloudFormation does it with the stack's service role, which is the
    execution role of the CDK: `cdk deploy` sets it, and DeleteStack takes it where it is given none
    (CloudFormation API Reference, "DeleteStack").  Whether the caller needs ``iam:PassRole`` for it
    is answered both ways in editions of the User Guide ("CloudFormation service role"), so the role
    may pass it, to CloudFormation alone.

    The other terminates the cluster, which is most of the bill: with no right but its own it works
    on the day when the deletion does not.  A deletion that fails is told by the data stack.

    ``ends_at`` comes from outside, and not from the clock of the account: a schedule by the hour
    would fire for the first time as soon as it is made.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, cluster_id: str, ends_at: datetime
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        role = iam.Role(
            self,
            "Role",
            description="Fruits!: Scheduler ends the cluster and deletes its stack",
            # The name of a schedule is not known before it is made, and its role has to be.
            assumed_by=iam.ServicePrincipal(
                "scheduler.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": stack.account}},
            ),
        )
        policy = iam.Policy(self, "Policy", roles=[role], statements=_statements(stack, cluster_id))
        calls: dict[str, tuple[str, dict[str, Any]]] = {
            "Schedule": ("emr:terminateJobFlows", {"JobFlowIds": [cluster_id]}),
            "DeleteStack": ("cloudformation:deleteStack", {"StackName": stack.stack_id}),
        }
        for name, (call, arguments) in calls.items():
            scheduler.CfnSchedule(
                self,
                name,
                description=f"Fruits!: {call}, however busy the cluster is",
                schedule_expression=f"at({ends_at:%Y-%m-%dT%H:%M:%S})",
                schedule_expression_timezone="UTC",
                flexible_time_window=scheduler.CfnSchedule.FlexibleTimeWindowProperty(mode="OFF"),
                target=scheduler.CfnSchedule.TargetProperty(
                    arn=f"{_API}{call}",
                    role_arn=role.role_arn,
                    input=stack.to_json_string(arguments),
                    retry_policy=scheduler.CfnSchedule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=_TRY_FOR_SECONDS
                    ),
                ),
            ).node.add_dependency(policy)


def _statements(stack: Stack, cluster_id: str) -> list[iam.PolicyStatement]:
    synthesizer = stack.synthesizer
    assert isinstance(synthesizer, DefaultStackSynthesizer)
    cluster = stack.format_arn(
        service="elasticmapreduce",
        resource="cluster",
        resource_name=cluster_id,
        arn_format=ArnFormat.SLASH_RESOURCE_NAME,
    )
    return [
        iam.PolicyStatement(
            sid="TerminateCluster",
            actions=["elasticmapreduce:TerminateJobFlows"],
            resources=[cluster],
        ),
        iam.PolicyStatement(
            sid="DeleteStack",
            actions=["cloudformation:DeleteStack"],
            resources=[stack.stack_id],
        ),
        iam.PolicyStatement(
            sid="PassCloudFormationRole",
            actions=["iam:PassRole"],
            resources=[Fn.sub(synthesizer.cloud_formation_execution_role_arn)],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        ),
    ]
