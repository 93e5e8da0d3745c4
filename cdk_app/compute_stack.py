"""The compute stack: created for a run, and destroyed after it."""

from datetime import datetime, timedelta
from itertools import pairwise

from aws_cdk import CfnOutput
from aws_cdk import aws_emr as emr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_ssm as ssm
from constructs import Construct

from cdk_app.artifacts import Artifacts
from cdk_app.cluster.emr_cluster import Cluster
from cdk_app.cluster.maximum_lifetime import MaximumLifetime
from cdk_app.config import PipelineConfig, StepsMode
from cdk_app.monitoring.cluster_alarms import ClusterAlarms
from cdk_app.network import Network
from cdk_app.project_stack import ProjectStack
from cdk_app.roles.erasure_role import ErasureOnCluster
from cdk_app.roles.instance_role import InstanceRole
from cdk_app.roles.service_role import ServiceRole
from cdk_app.step_commands import (
    Step,
    StepInputs,
    erasure_step,
    notebook_step,
    pipeline_steps,
    steps_as_json,
)
from cdk_app.storage import Storage


class ComputeStack(ProjectStack):
    """Network, roles, cluster and its alarms; with ``steps=run`` the steps too.

    Notices go to ``topic``; ``now`` is the time of the deployment in UTC, from which the life of
    the cluster is counted.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        storage: Storage,
        erasure_role: iam.IRole,
        topic: sns.ITopic,
        now: datetime,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            config=config,
            part="compute",
            description="the EMR cluster, its network and its roles; destroy it after a run",
        )
        artifacts = Artifacts(self, "Artifacts", config=config)
        network = Network(self, "Network", config=config, key=storage.key)
        instance_role = InstanceRole(
            self, "InstanceRole", config=config, storage=storage, artifacts=artifacts
        )
        network.allow_s3(*instance_role.s3_statements)
        service_role = ServiceRole(
            self,
            "ServiceRole",
            config=config,
            instance_role=instance_role.role,
            key=storage.key,
        )
        cluster = Cluster(
            self,
            "Cluster",
            config=config,
            network=network,
            storage=storage,
            artifacts=artifacts,
            instance_role=instance_role,
            service_role=service_role,
        )
        MaximumLifetime(
            self,
            "MaximumLifetime",
            cluster_id=cluster.cluster.ref,
            ends_at=now + timedelta(hours=config.max_life_hours),
        )
        inputs = StepInputs.deployed(config, storage, artifacts)
        steps = pipeline_steps(inputs)
        if config.steps is StepsMode.RUN:
            self._add_steps(cluster, steps)
        notebook_uri = artifacts.notebook.s3_object_url
        parameters = {
            name: ssm.StringParameter(
                self,
                name,
                parameter_name=f"/fruits/{config.environment}/{key}",
                description=f"Fruits!: added to the cluster by {command}",
                string_value=steps_as_json(added),
            )
            for name, key, command, added in (
                ("Steps", "steps", "fruits submit", steps),
                ("ErasureStep", "erasure-step", "fruits erase", [erasure_step(inputs)]),
                (
                    "NotebookStep",
                    "notebook-step",
                    "fruits submit --notebook",
                    [notebook_step(inputs, notebook_uri)],
                ),
            )
        }
        ErasureOnCluster(
            self,
            "ErasureOnCluster",
            role=erasure_role,
            cluster_id=cluster.cluster.ref,
            step=parameters["ErasureStep"],
        )
        ClusterAlarms(
            self, "Monitoring", config=config, cluster_id=cluster.cluster.ref, topic=topic
        )
        CfnOutput(self, "ClusterId", value=cluster.cluster.ref)
        for name, parameter in parameters.items():
            CfnOutput(self, f"{name}ParameterName", value=parameter.parameter_name)
        CfnOutput(self, "NotebooksUri", value=storage.notebooks_uri)
        CfnOutput(self, "LogUri", value=storage.emr_logs_uri)

    def _add_steps(self, cluster: Cluster, steps: list[Step]) -> None:
        added = [
            emr.CfnStep(
                self,
                f"{step.name.title()}Step",
                name=step.name,
                job_flow_id=cluster.cluster.ref,
                # A step that fails cancels those after it, and leaves the cluster to look at.
                action_on_failure="CANCEL_AND_WAIT",
                hadoop_jar_step=emr.CfnStep.HadoopJarStepConfigProperty(
                    jar="command-runner.jar", args=list(step.arguments)
                ),
            )
            for step in steps
        ]
        for before, after in pairwise(added):
            after.add_resource_dependency(before)
