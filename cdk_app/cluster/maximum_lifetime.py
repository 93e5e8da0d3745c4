"""The maximum lifetime of a cluster: at a fixed time its stack is deleted."""

from datetime import datetime
from typing import Any

from aws_cdk import DefaultStackSynthesizer, Fn, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_scheduler as scheduler
from constructs import Construct

from cdk_app.roles.statements import allow, cluster_arn, pass_role

# Scheduler calls the APIs itself; nothing of ours runs.
_API = "arn:aws:scheduler:::aws-sdk:"
_TRY_FOR_SECONDS = 24 * 3600


class MaximumLifetime(Construct):
    """Two schedules that fire once, at ``ends_at`` in UTC, with a role that can do nothing else.

    The one deletes the whole stack: its interface endpoints are billed by the hour, with a cluster
    or without.  CloudFormation uses the service role of the stack, the execution role of the CDK
    (CloudFormation API Reference, "DeleteStack").  Editions of the User Guide differ on whether the
    caller needs ``iam:PassRole`` for it, so the role may pass it, to CloudFormation alone.

    The other terminates the cluster, which is most of the bill, for the day on which the deletion
    fails.  The data stack sends the notice of a deletion that fails.

    ``ends_at`` is computed at synthesis: a schedule by the hour would fire as soon as it exists.
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
    execution_role = Fn.sub(synthesizer.cloud_formation_execution_role_arn)
    terminate = ["elasticmapreduce:TerminateJobFlows"]
    return [
        allow("TerminateCluster", terminate, [cluster_arn(stack, cluster_id)]),
        allow("DeleteStack", ["cloudformation:DeleteStack"], [stack.stack_id]),
        pass_role("PassCloudFormationRole", execution_role, "cloudformation"),
    ]
