"""The on-demand stack: what makes a cluster for each run and ends it, free between runs."""

from dataclasses import replace

from aws_cdk import CfnOutput
from aws_cdk import aws_sns as sns
from constructs import Construct

from cdk_app.artifacts import Artifacts
from cdk_app.cluster.definition import define_cluster
from cdk_app.cluster.placement import placement
from cdk_app.cluster.security_configuration import add_security_configuration
from cdk_app.config import PipelineConfig
from cdk_app.deployed_steps import deployed_steps
from cdk_app.instance_role import InstanceRole
from cdk_app.network import Network
from cdk_app.on_demand.create_cluster import create_cluster_parameters
from cdk_app.on_demand.machine import RunMachine
from cdk_app.on_demand.run_plan import RunPlan
from cdk_app.on_demand.triggers import Triggers
from cdk_app.project_stack import ProjectStack
from cdk_app.service_role import ServiceRole
from cdk_app.storage import Storage


class OnDemandStack(ProjectStack):
    """Network without hourly endpoints, roles, state machine and what starts a run."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        storage: Storage,
        topic: sns.ITopic,
    ) -> None:
        # Nobody looks into a cluster that nobody waits for; its endpoints would be two more.
        config = replace(config, session_manager=False)
        super().__init__(
            scope,
            construct_id,
            config=config,
            part="on-demand",
            description="makes an EMR cluster for each run and ends it; free between runs",
        )
        artifacts = Artifacts(self, "Artifacts", config=config)
        network = Network(
            self, "Network", config=config, key=storage.key, interface_endpoints=False
        )
        instance_role = InstanceRole(
            self, "InstanceRole", config=config, storage=storage, artifacts=artifacts
        )
        network.allow_in_s3(*instance_role.s3_statements)
        service_role = ServiceRole(
            self,
            "ServiceRole",
            config=config,
            instance_role=instance_role.role,
            key=storage.key,
        )
        security = add_security_configuration(self, "Security", config=config, key=storage.key)
        definition = define_cluster(
            config,
            name=f"fruits-{config.environment}-on-demand",
            bootstrap_uri=artifacts.bootstrap.s3_object_url,
            bootstrap_arguments=artifacts.bootstrap_arguments,
        )
        place = placement(network, storage, instance_role, service_role, security)
        plan = RunPlan(
            config=config,
            network=network,
            create_cluster=create_cluster_parameters(definition, place),
            cluster_name=definition.name,
            steps=tuple(deployed_steps(config, storage, artifacts)),
            topic=topic,
            report_uri=f"{storage.output_uri}/report/index.html",
        )
        run = RunMachine(
            self,
            "Run",
            plan=plan,
            service_role=service_role.role,
            instance_role=instance_role.role,
            key=storage.key,
        )
        for needed in (*network.rules, network.s3_endpoint, instance_role.policy):
            run.machine.node.add_dependency(needed)
        run.machine.node.add_dependency(
            service_role.policy, network.subnet.internet_connectivity_established
        )
        Triggers(self, "Triggers", config=config, machine=run.machine, raw=storage.raw)
        CfnOutput(self, "StateMachineArn", value=run.machine.state_machine_arn)
        CfnOutput(self, "LogUri", value=storage.emr_logs_uri)
