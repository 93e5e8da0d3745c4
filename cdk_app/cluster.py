"""The EMR cluster, and how it is encrypted."""

from typing import Any

from aws_cdk import CfnTag
from aws_cdk import aws_emr as emr
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import Artifacts
from cdk_app.config import ROOT_VOLUME_GIB, PipelineConfig
from cdk_app.instance_role import InstanceRole
from cdk_app.instances import InstanceType
from cdk_app.network import EMR_TAG, Network
from cdk_app.service_role import ServiceRole
from cdk_app.spark_settings import CAPACITY_SCHEDULER, PYTHON, spark_defaults, yarn_site
from cdk_app.storage import Storage

# Spark 4.1 on Python 3.11, with fixes until September 2029.
RELEASE_LABEL = "emr-spark-8.1.0"
_SPOT_WAIT_MINUTES = 10


class Cluster(Construct):
    """A cluster of one primary node, core nodes on demand and task nodes on Spot.

    It ends by itself after the idle time, and holds no step: a changed script replaces no cluster.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: PipelineConfig,
        network: Network,
        storage: Storage,
        artifacts: Artifacts,
        instance_role: InstanceRole,
        service_role: ServiceRole,
    ) -> None:
        super().__init__(scope, construct_id)
        self.security = emr.CfnSecurityConfiguration(
            self, "Security", security_configuration=security_configuration(storage.key)
        )
        self.cluster = emr.CfnCluster(
            self,
            "Cluster",
            name=f"fruits-{config.environment}",
            release_label=RELEASE_LABEL,
            applications=[emr.CfnCluster.ApplicationProperty(name="Spark")],
            instances=_instances(config, network),
            configurations=_configurations(config),
            bootstrap_actions=[
                emr.CfnCluster.BootstrapActionConfigProperty(
                    name="install Python packages",
                    script_bootstrap_action=emr.CfnCluster.ScriptBootstrapActionConfigProperty(
                        path=artifacts.bootstrap.s3_object_url,
                        args=[artifacts.wheelhouse.s3_object_url, artifacts.wheelhouse_sha256],
                    ),
                )
            ],
            job_flow_role=instance_role.profile.ref,
            service_role=service_role.role.role_arn,
            security_configuration=self.security.ref,
            log_uri=storage.emr_logs_uri,
            log_encryption_kms_key_id=storage.key.key_arn,
            auto_termination_policy=emr.CfnCluster.AutoTerminationPolicyProperty(
                idle_timeout=config.idle_timeout_minutes * 60
            ),
            step_concurrency_level=1,
            ebs_root_volume_size=ROOT_VOLUME_GIB,
            visible_to_all_users=True,
            tags=[
                CfnTag(key=key, value=value)
                for key, value in {**config.tags, EMR_TAG: "true"}.items()
            ],
        )
        # On the way down the cluster goes first: EMR needs its rights, and the network, to end it.
        for needed in (
            *network.rules,
            *network.interface_endpoints,
            network.s3_endpoint,
            # The way to S3; nothing else that the cluster names leads to it.
            network.subnet.internet_connectivity_established,
            service_role.policy,
            instance_role.policy,
        ):
            self.cluster.node.add_dependency(needed)
        self._acknowledge()

    def _acknowledge(self) -> None:
        for rule in ("AwsSolutions::AwsSolutions-EMR4", "AwsSolutions::AwsSolutions-EMR5"):
            acknowledge(
                self,
                rule,
                reason="a false finding: the rule looks for the keys above EncryptionConfiguration,"
                " where EMR does not read them; a test asserts what EMR reads",
            )
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-EMR6",
            reason="nobody logs in: there is no SSH, no key pair and no route to a node",
        )


def security_configuration(key: kms.IKey) -> dict[str, Any]:
    """Return EMR's security configuration: all encrypted, and IMDSv2 without a hop."""
    return {
        "EncryptionConfiguration": {
            "EnableAtRestEncryption": True,
            "EnableInTransitEncryption": True,
            "AtRestEncryptionConfiguration": {
                "S3EncryptionConfiguration": {
                    "EncryptionMode": "SSE-KMS",
                    "AwsKmsKey": key.key_arn,
                },
                "LocalDiskEncryptionConfiguration": {
                    "EnableEbsEncryption": True,
                    "EncryptionKeyProviderType": "AwsKms",
                    "AwsKmsKey": key.key_arn,
                },
            },
            # Certificates that EMR makes itself: a private key of ours would lie in an asset.
            "InTransitEncryptionConfiguration": {
                "TLSCertificateConfiguration": {
                    "CertificateProviderType": "EMR",
                    "AwsKmsKey": key.key_arn,
                }
            },
        },
        "InstanceMetadataServiceConfiguration": {
            "MinimumInstanceMetadataServiceVersion": 2,
            "HttpPutResponseHopLimit": 1,
        },
    }


def _instances(
    config: PipelineConfig, network: Network
) -> emr.CfnCluster.JobFlowInstancesConfigProperty:
    task_fleets = None
    if config.n_task_nodes:
        task_fleets = [
            emr.CfnCluster.InstanceFleetConfigProperty(
                name="task",
                target_spot_capacity=config.n_task_nodes,
                instance_type_configs=[
                    _type_config(config, instance_type)
                    for instance_type in config.worker_instance_type.equivalents
                ],
                launch_specifications=emr.CfnCluster.InstanceFleetProvisioningSpecificationsProperty(
                    spot_specification=emr.CfnCluster.SpotProvisioningSpecificationProperty(
                        allocation_strategy="price-capacity-optimized",
                        timeout_action="SWITCH_TO_ON_DEMAND",
                        timeout_duration_minutes=_SPOT_WAIT_MINUTES,
                    )
                ),
            )
        ]
    return emr.CfnCluster.JobFlowInstancesConfigProperty(
        ec2_subnet_ids=[network.subnet.subnet_id],
        emr_managed_master_security_group=network.primary.security_group_id,
        emr_managed_slave_security_group=network.workers.security_group_id,
        service_access_security_group=network.endpoints.security_group_id,
        keep_job_flow_alive_when_no_steps=True,
        termination_protected=False,
        master_instance_fleet=_on_demand(config, "primary", config.primary_instance_type, 1),
        core_instance_fleet=_on_demand(
            config, "core", config.worker_instance_type, config.n_core_nodes
        ),
        task_instance_fleets=task_fleets,
    )


def _on_demand(
    config: PipelineConfig, name: str, instance_type: InstanceType, n_nodes: int
) -> emr.CfnCluster.InstanceFleetConfigProperty:
    return emr.CfnCluster.InstanceFleetConfigProperty(
        name=name,
        target_on_demand_capacity=n_nodes,
        instance_type_configs=[_type_config(config, instance_type)],
    )


def _type_config(
    config: PipelineConfig, instance_type: InstanceType
) -> emr.CfnCluster.InstanceTypeConfigProperty:
    return emr.CfnCluster.InstanceTypeConfigProperty(
        instance_type=instance_type.name,
        weighted_capacity=1,
        ebs_configuration=emr.CfnCluster.EbsConfigurationProperty(
            ebs_block_device_configs=[
                emr.CfnCluster.EbsBlockDeviceConfigProperty(
                    volume_specification=emr.CfnCluster.VolumeSpecificationProperty(
                        size_in_gb=config.node_volume_gib, volume_type="gp3"
                    ),
                    volumes_per_instance=1,
                )
            ]
        ),
    )


def _configurations(config: PipelineConfig) -> list[emr.CfnCluster.ConfigurationProperty]:
    worker = config.worker_instance_type
    defaults = spark_defaults(
        primary=config.primary_instance_type,
        worker=worker,
        n_worker_nodes=config.n_core_nodes + config.n_task_nodes,
    )
    return [
        emr.CfnCluster.ConfigurationProperty(
            classification="spark-defaults", configuration_properties=defaults
        ),
        emr.CfnCluster.ConfigurationProperty(
            classification="spark-env",
            configurations=[
                emr.CfnCluster.ConfigurationProperty(
                    classification="export",
                    configuration_properties={"PYSPARK_PYTHON": PYTHON},
                )
            ],
        ),
        emr.CfnCluster.ConfigurationProperty(
            classification="yarn-site", configuration_properties=yarn_site(worker)
        ),
        emr.CfnCluster.ConfigurationProperty(
            classification="capacity-scheduler", configuration_properties=CAPACITY_SCHEDULER
        ),
    ]
