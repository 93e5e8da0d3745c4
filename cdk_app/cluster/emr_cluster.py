"""The EMR cluster of the compute stack and its encryption, in the form of CloudFormation."""

from typing import Any

from aws_cdk import CfnTag
from aws_cdk import aws_emr as emr
from aws_cdk import aws_kms as kms
from constructs import Construct

from cdk_app.acknowledgments import acknowledge
from cdk_app.artifacts import Artifacts
from cdk_app.cluster.definition import (
    SPOT_ALLOCATION,
    SPOT_WAIT_MINUTES,
    ClusterDefinition,
    Configuration,
    Fleet,
    define_cluster,
)
from cdk_app.config import PipelineConfig
from cdk_app.network import Network
from cdk_app.roles.instance_role import InstanceRole
from cdk_app.roles.service_role import ServiceRole
from cdk_app.storage import Storage


class Cluster(Construct):
    """A cluster of one primary node, core nodes on demand and task nodes on Spot.

    It terminates after the idle time, and holds no step: a changed script replaces no cluster.
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
        self.security = _add_security_configuration(self, config, storage.key)
        definition = define_cluster(
            config,
            name=f"fruits-{config.environment}",
            bootstrap_uri=artifacts.bootstrap.s3_object_url,
            bootstrap_arguments=artifacts.bootstrap_arguments,
        )
        self.cluster = emr.CfnCluster(
            self,
            "Cluster",
            name=definition.name,
            release_label=definition.release_label,
            applications=[
                emr.CfnCluster.ApplicationProperty(name=name) for name in definition.applications
            ],
            instances=_instances(definition, network),
            configurations=[_configuration(each) for each in definition.configurations],
            bootstrap_actions=[
                emr.CfnCluster.BootstrapActionConfigProperty(
                    name=definition.bootstrap.name,
                    script_bootstrap_action=emr.CfnCluster.ScriptBootstrapActionConfigProperty(
                        path=definition.bootstrap.script_uri,
                        args=list(definition.bootstrap.arguments),
                    ),
                )
            ],
            job_flow_role=instance_role.profile.ref,
            service_role=service_role.role.role_arn,
            security_configuration=self.security.ref,
            log_uri=storage.emr_logs_uri,
            log_encryption_kms_key_id=storage.key.key_arn,
            auto_termination_policy=emr.CfnCluster.AutoTerminationPolicyProperty(
                idle_timeout=definition.idle_timeout_minutes * 60
            ),
            step_concurrency_level=1,
            ebs_root_volume_size=definition.root_volume_gib,
            visible_to_all_users=True,
            tags=[CfnTag(key=key, value=value) for key, value in definition.tags.items()],
        )
        # The cluster is deleted first: EMR needs its rights and the network to terminate it.
        for needed in (
            *network.rules,
            *network.interface_endpoints,
            network.s3_endpoint,
            # The route to S3, to which nothing else leads that the cluster names.
            network.subnet.internet_connectivity_established,
            service_role.policy,
            instance_role.policy,
        ):
            self.cluster.node.add_dependency(needed)
        acknowledge(
            self,
            "AwsSolutions::AwsSolutions-EMR6",
            reason="nobody logs in: there is no SSH, no key pair and no route to a node",
        )


def _add_security_configuration(
    scope: Construct, config: PipelineConfig, key: kms.IKey
) -> emr.CfnSecurityConfiguration:
    settings = _security_configuration(key, in_transit=config.in_transit_certificates)
    added = emr.CfnSecurityConfiguration(scope, "Security", security_configuration=settings)
    for rule in ("AwsSolutions::AwsSolutions-EMR4", "AwsSolutions::AwsSolutions-EMR5"):
        acknowledge(
            scope,
            rule,
            reason="a false finding: the rule looks for the keys above EncryptionConfiguration,"
            " where EMR does not read them; a test asserts what EMR reads. Encryption between nodes"
            " is left out for first runs on sample photographs only, where a setting asks for it",
        )
    return added


def _security_configuration(key: kms.IKey, *, in_transit: bool) -> dict[str, Any]:
    """Return EMR's security configuration: all encrypted, and IMDSv2 without a hop.

    ``in_transit`` False leaves out the encryption between nodes and keeps that of disks and S3.
    """
    # Certificates that EMR makes itself: a private key of ours would lie in an asset.
    certificates = {
        "InTransitEncryptionConfiguration": {
            "TLSCertificateConfiguration": {
                "CertificateProviderType": "EMR",
                "AwsKmsKey": key.key_arn,
            }
        }
    }
    return {
        "EncryptionConfiguration": {
            "EnableAtRestEncryption": True,
            "EnableInTransitEncryption": in_transit,
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
            **(certificates if in_transit else {}),
        },
        "InstanceMetadataServiceConfiguration": {
            "MinimumInstanceMetadataServiceVersion": 2,
            "HttpPutResponseHopLimit": 1,
        },
    }


def _instances(
    definition: ClusterDefinition, network: Network
) -> emr.CfnCluster.JobFlowInstancesConfigProperty:
    primary, core, task = map(definition.fleet, ("MASTER", "CORE", "TASK"))
    return emr.CfnCluster.JobFlowInstancesConfigProperty(
        ec2_subnet_ids=[network.subnet.subnet_id],
        emr_managed_master_security_group=network.primary.security_group_id,
        emr_managed_slave_security_group=network.workers.security_group_id,
        service_access_security_group=network.endpoints.security_group_id,
        keep_job_flow_alive_when_no_steps=True,
        termination_protected=False,
        master_instance_fleet=_fleet(primary, definition) if primary else None,
        core_instance_fleet=_fleet(core, definition) if core else None,
        task_instance_fleets=[_fleet(task, definition)] if task else None,
    )


def _fleet(
    fleet: Fleet, definition: ClusterDefinition
) -> emr.CfnCluster.InstanceFleetConfigProperty:
    launch = emr.CfnCluster.InstanceFleetProvisioningSpecificationsProperty(
        spot_specification=emr.CfnCluster.SpotProvisioningSpecificationProperty(
            allocation_strategy=SPOT_ALLOCATION,
            timeout_action="SWITCH_TO_ON_DEMAND",
            timeout_duration_minutes=SPOT_WAIT_MINUTES,
        )
    )
    return emr.CfnCluster.InstanceFleetConfigProperty(
        name=fleet.name,
        target_on_demand_capacity=None if fleet.on_spot else fleet.n_nodes,
        target_spot_capacity=fleet.n_nodes if fleet.on_spot else None,
        instance_type_configs=[
            _type_config(name, definition.node_volume_gib) for name in fleet.instance_types
        ],
        launch_specifications=launch if fleet.on_spot else None,
    )


def _type_config(instance_type: str, volume_gib: int) -> emr.CfnCluster.InstanceTypeConfigProperty:
    return emr.CfnCluster.InstanceTypeConfigProperty(
        instance_type=instance_type,
        weighted_capacity=1,
        ebs_configuration=emr.CfnCluster.EbsConfigurationProperty(
            ebs_block_device_configs=[
                emr.CfnCluster.EbsBlockDeviceConfigProperty(
                    volume_specification=emr.CfnCluster.VolumeSpecificationProperty(
                        size_in_gb=volume_gib, volume_type="gp3"
                    ),
                    volumes_per_instance=1,
                )
            ]
        ),
    )


def _configuration(each: Configuration) -> emr.CfnCluster.ConfigurationProperty:
    settings = emr.CfnCluster.ConfigurationProperty(
        classification=each.classification, configuration_properties=dict(each.properties)
    )
    if each.within is None:
        return settings
    return emr.CfnCluster.ConfigurationProperty(
        classification=each.within, configurations=[settings]
    )
