"""The cluster of the on-demand stack: the definition, as Step Functions gives it to EMR."""

from typing import Any

from cdk_app.cluster.definition import (
    RUN_TAG,
    SPOT_ALLOCATION,
    SPOT_WAIT_MINUTES,
    ClusterDefinition,
    Configuration,
    Fleet,
    Placement,
)


def create_cluster_parameters(definition: ClusterDefinition, place: Placement) -> dict[str, Any]:
    """Return the parameters of ``createCluster``, which are those of EMR's RunJobFlow.

    EMR knows no token by which a request that is sent twice makes one cluster.  So the name and a
    tag hold the name of the run: a cluster whose id was never heard of is found by them.
    The CDK's own class for this task takes no release of the form ``emr-spark-8.1.0``.
    LogEncryptionKmsKeyId is left out, for the task is not known to take it: the log bucket encrypts
    what EMR writes there with the same key.
    """
    return {
        "Name.$": f"States.Format('{definition.name} {{}}', $$.Execution.Name)",
        "ReleaseLabel": definition.release_label,
        "Applications": [{"Name": name} for name in definition.applications],
        "Instances": {
            "Ec2SubnetIds": [place.subnet_id],
            "EmrManagedMasterSecurityGroup": place.primary_group_id,
            "EmrManagedSlaveSecurityGroup": place.workers_group_id,
            "ServiceAccessSecurityGroup": place.endpoints_group_id,
            # Step Functions asks for it: the steps come later.
            "KeepJobFlowAliveWhenNoSteps": True,
            "TerminationProtected": False,
            "InstanceFleets": [_fleet(fleet, definition) for fleet in definition.fleets],
        },
        "Configurations": [_configuration(each) for each in definition.configurations],
        "BootstrapActions": [
            {
                "Name": definition.bootstrap.name,
                "ScriptBootstrapAction": {
                    "Path": definition.bootstrap.script_uri,
                    "Args": list(definition.bootstrap.arguments),
                },
            }
        ],
        "JobFlowRole": place.instance_profile,
        "ServiceRole": place.service_role,
        "SecurityConfiguration": place.security_configuration,
        "LogUri": place.log_uri,
        # The second line: what an aborted execution leaves behind ends by this.
        "AutoTerminationPolicy": {"IdleTimeout": definition.idle_timeout_minutes * 60},
        "StepConcurrencyLevel": 1,
        "EbsRootVolumeSize": definition.root_volume_gib,
        "VisibleToAllUsers": True,
        "Tags": [
            *({"Key": key, "Value": value} for key, value in definition.tags.items()),
            {"Key": RUN_TAG, "Value.$": "$$.Execution.Name"},
        ],
    }


def _fleet(fleet: Fleet, definition: ClusterDefinition) -> dict[str, Any]:
    volume = {
        "VolumeSpecification": {"SizeInGB": definition.node_volume_gib, "VolumeType": "gp3"},
        "VolumesPerInstance": 1,
    }
    made: dict[str, Any] = {
        "Name": fleet.name,
        "InstanceFleetType": fleet.kind,
        ("TargetSpotCapacity" if fleet.on_spot else "TargetOnDemandCapacity"): fleet.n_nodes,
        "InstanceTypeConfigs": [
            {
                "InstanceType": name,
                "WeightedCapacity": 1,
                "EbsConfiguration": {"EbsBlockDeviceConfigs": [volume]},
            }
            for name in fleet.instance_types
        ],
    }
    if fleet.on_spot:
        made["LaunchSpecifications"] = {
            "SpotSpecification": {
                "AllocationStrategy": SPOT_ALLOCATION,
                "TimeoutAction": "SWITCH_TO_ON_DEMAND",
                "TimeoutDurationMinutes": SPOT_WAIT_MINUTES,
            }
        }
    return made


def _configuration(each: Configuration) -> dict[str, Any]:
    settings = {"Classification": each.classification, "Properties": dict(each.properties)}
    if each.within is None:
        return settings
    return {"Classification": each.within, "Configurations": [settings]}
