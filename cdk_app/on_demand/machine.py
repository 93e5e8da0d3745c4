"""The state machine of a run on demand, its log and its role."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from cdk_app.on_demand.role import RunRole
from cdk_app.on_demand.run_plan import RunPlan
from cdk_app.on_demand.states import RunStates
from cdk_app.retention import CLOUDWATCH_NAMES, flow_log_days


class RunMachine(Construct):
    """Makes a cluster, runs the steps on it and ends it; costs nothing between runs."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        plan: RunPlan,
        service_role: iam.Role,
        instance_role: iam.Role,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, construct_id)
        # A name of ours: the role names the machine, which cannot be made before its role.
        name = f"fruits-{plan.config.environment}-on-demand"
        run_role = RunRole(
            self,
            "RunRole",
            config=plan.config,
            machine_arn=Stack.of(self).format_arn(
                service="states",
                resource="stateMachine",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
            network=plan.network,
            service_role=service_role,
            instance_role=instance_role,
            topic=plan.topic,
            key=key,
        )
        log_group = logs.LogGroup(
            self,
            "Log",
            # Under another prefix, each log group takes its share of a policy of limited length.
            log_group_name=f"/aws/vendedlogs/states/{name}",
            encryption_key=key,
            retention=logs.RetentionDays[CLOUDWATCH_NAMES[flow_log_days(plan.config.kept)]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        states = RunStates(self, "States", plan=plan)
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=name,
            state_machine_type=sfn.StateMachineType.STANDARD,
            definition_body=sfn.DefinitionBody.from_chainable(states.first),
            # What tasks would add by themselves is wider than what a run needs.
            role=run_role.role.without_policy_updates(),
            timeout=plan.last_resort,
            tracing_enabled=True,
            # The data of an execution hold URIs and what a step said: names, maybe of people.
            logs=sfn.LogOptions(
                destination=log_group, level=sfn.LogLevel.ALL, include_execution_data=False
            ),
        )
        self.machine.node.add_dependency(run_role.policy)
