"""The cluster: small, encrypted, on its own network, and gone when nobody uses it."""

import pytest
from aws_cdk.assertions import Match

VOLUME = {"VolumeSpecification": {"SizeInGB": 64, "VolumeType": "gp3"}, "VolumesPerInstance": 1}


@pytest.fixture(scope="module")
def cluster(made):
    return made.compute.only("AWS::EMR::Cluster")


@pytest.fixture(scope="module")
def key(made):
    return made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})


def configuration_of(cluster, classification):
    (found,) = (c for c in cluster["Configurations"] if c["Classification"] == classification)
    return found


def types_of(fleet):
    return [config["InstanceType"] for config in fleet["InstanceTypeConfigs"]]


def test_it_is_a_cluster_of_spark_and_nothing_else(cluster):
    assert cluster["ReleaseLabel"] == "emr-spark-8.1.0"
    assert cluster["Applications"] == [{"Name": "Spark"}]


def test_an_idle_cluster_terminates_after_15_minutes_by_default(either, changed):
    for each, minutes in ((either, 15), (changed, 60)):
        cluster = each.compute.only("AWS::EMR::Cluster")
        assert cluster["AutoTerminationPolicy"] == {"IdleTimeout": minutes * 60}


def test_it_waits_for_steps_and_nothing_keeps_it_from_being_destroyed(either):
    either.compute_template.has_resource_properties(
        "AWS::EMR::Cluster",
        {
            "Instances": {"KeepJobFlowAliveWhenNoSteps": True, "TerminationProtected": False},
            "StepConcurrencyLevel": 1,
            "Steps": Match.absent(),
        },
    )


def test_nobody_logs_in_to_a_node(either):
    either.compute_template.has_resource_properties(
        "AWS::EMR::Cluster",
        {"Instances": {"Ec2KeyName": Match.absent()}, "KerberosAttributes": Match.absent()},
    )


def test_everybody_of_the_account_sees_it(cluster):
    assert cluster["VisibleToAllUsers"] is True


def test_all_is_encrypted_in_the_form_that_emr_reads(made, key):
    security = made.compute.only("AWS::EMR::SecurityConfiguration")
    assert security["SecurityConfiguration"]["EncryptionConfiguration"] == {
        "EnableAtRestEncryption": True,
        "EnableInTransitEncryption": True,
        "AtRestEncryptionConfiguration": {
            "S3EncryptionConfiguration": {"EncryptionMode": "SSE-KMS", "AwsKmsKey": key},
            "LocalDiskEncryptionConfiguration": {
                "EnableEbsEncryption": True,
                "EncryptionKeyProviderType": "AwsKms",
                "AwsKmsKey": key,
            },
        },
        "InTransitEncryptionConfiguration": {
            "TLSCertificateConfiguration": {"CertificateProviderType": "EMR", "AwsKmsKey": key}
        },
    }
    # A name would clash with itself when a changed configuration replaces the old one.
    assert "Name" not in security


def test_without_certificates_all_but_the_traffic_between_nodes_is_encrypted(made, changed):
    (settings, fewer) = (
        each.compute.only("AWS::EMR::SecurityConfiguration")["SecurityConfiguration"]
        for each in (made, changed)
    )
    del settings["EncryptionConfiguration"]["InTransitEncryptionConfiguration"]
    settings["EncryptionConfiguration"]["EnableInTransitEncryption"] = False
    assert fewer == settings


def test_the_metadata_of_a_node_are_for_the_node_alone(made):
    security = made.compute.only("AWS::EMR::SecurityConfiguration")["SecurityConfiguration"]
    assert security["InstanceMetadataServiceConfiguration"] == {
        "MinimumInstanceMetadataServiceVersion": 2,
        "HttpPutResponseHopLimit": 1,
    }


def test_the_cluster_uses_this_security_configuration(made, cluster):
    assert [cluster["SecurityConfiguration"]] == list(
        made.compute.resources("AWS::EMR::SecurityConfiguration")
    )


def test_primary_and_core_nodes_are_on_demand_and_task_nodes_on_spot(changed):
    instances = changed.compute.only("AWS::EMR::Cluster")["Instances"]
    (task,) = instances["TaskInstanceFleets"]
    targets = {
        fleet["Name"]: {key: n for key, n in fleet.items() if key.startswith("Target")}
        for fleet in (instances["MasterInstanceFleet"], instances["CoreInstanceFleet"], task)
    }
    assert targets == {
        "primary": {"TargetOnDemandCapacity": 1},
        "core": {"TargetOnDemandCapacity": 3},
        "task": {"TargetSpotCapacity": 5},
    }
    every = [c for f in (task, instances["CoreInstanceFleet"]) for c in f["InstanceTypeConfigs"]]
    assert {config["WeightedCapacity"] for config in every} == {1}


def test_a_run_starts_without_spot_capacity_too(cluster):
    (task,) = cluster["Instances"]["TaskInstanceFleets"]
    assert task["LaunchSpecifications"]["SpotSpecification"] == {
        "AllocationStrategy": "price-capacity-optimized",
        "TimeoutAction": "SWITCH_TO_ON_DEMAND",
        "TimeoutDurationMinutes": 10,
    }


def test_without_task_nodes_there_is_no_fleet_for_them(least):
    cluster = least.compute.only("AWS::EMR::Cluster")
    assert "TaskInstanceFleets" not in cluster["Instances"]
    assert configuration_of(cluster, "spark-defaults")["ConfigurationProperties"][
        "spark.executor.instances"
    ] == str(2)


def test_every_node_has_the_volume_that_is_asked_for(cluster):
    instances = cluster["Instances"]
    fleets = [instances["MasterInstanceFleet"], instances["CoreInstanceFleet"]]
    configs = [
        c for f in fleets + instances["TaskInstanceFleets"] for c in f["InstanceTypeConfigs"]
    ]
    assert len(configs) == 4
    for config in configs:
        assert config["EbsConfiguration"] == {"EbsBlockDeviceConfigs": [VOLUME]}


def test_each_node_is_of_the_configured_type_and_spot_nodes_of_its_equivalents(least, changed):
    instances = least.compute.only("AWS::EMR::Cluster")["Instances"]
    assert types_of(instances["MasterInstanceFleet"]) == ["m7g.xlarge"]
    assert types_of(instances["CoreInstanceFleet"]) == ["c7g.2xlarge"]
    instances = changed.compute.only("AWS::EMR::Cluster")["Instances"]
    assert types_of(instances["MasterInstanceFleet"]) == ["c6i.xlarge"]
    assert types_of(instances["CoreInstanceFleet"]) == ["m7i.2xlarge"]
    assert types_of(instances["TaskInstanceFleets"][0]) == ["m7i.2xlarge", "m6i.2xlarge"]


def test_the_nodes_get_the_wheels_of_their_architecture(made, changed):
    for each, architecture in ((made, "arm64"), (changed, "x86_64")):
        (action,) = each.compute.only("AWS::EMR::Cluster")["BootstrapActions"]
        wheels = each.asset(action["ScriptBootstrapAction"]["Args"][0])
        assert wheels.read_text() == f"wheels for {architecture}"


def test_the_logs_go_to_the_log_bucket_under_the_key(made, cluster, key):
    assert cluster["LogUri"] == f"s3://{made.data.outputs()['LogsBucketName']}/emr/"
    assert cluster["LogEncryptionKmsKeyId"] == key


def test_it_lies_in_the_network_of_the_stack(made, cluster):
    instances = cluster["Instances"]
    assert instances["Ec2SubnetIds"] == list(made.compute.resources("AWS::EC2::Subnet"))
    # Without them EMR makes groups of its own, which stay when the cluster goes.
    groups = {
        "EmrManagedMaster": "Primary",
        "EmrManagedSlave": "Workers",
        "ServiceAccess": "Endpoi",
    }
    for key, name in groups.items():
        assert instances[f"{key}SecurityGroup"].startswith(f"Network{name}")


def test_emr_and_the_nodes_have_the_roles_of_the_stack(made, cluster):
    (profile_id,) = made.compute.resources("AWS::IAM::InstanceProfile")
    profile = made.compute.only("AWS::IAM::InstanceProfile")
    assert cluster["JobFlowRole"] == profile_id
    assert profile["Roles"] == ["InstanceRoleA57500A0"]
    assert cluster["ServiceRole"].endswith(":role/ServiceRoleD777F2A1")


@pytest.mark.parametrize(
    ("kind", "n"),
    [
        ("AWS::EC2::SecurityGroupIngress", 13),
        ("AWS::EC2::SecurityGroupEgress", 16),
        ("AWS::EC2::VPCEndpoint", 5),
        ("AWS::EC2::SubnetRouteTableAssociation", 1),
        # Of EMR and of a node; those that name the cluster come after it.
        ("AWS::IAM::Policy", 2),
    ],
)
def test_the_cluster_goes_before_what_emr_needs_to_end_it(changed, kind, n):
    compute = changed.compute
    (logical_id,) = compute.resources("AWS::EMR::Cluster")
    needed = {
        name
        for name in compute.resources(kind)
        if "Flows" not in name and not name.startswith(("MaximumLifetime", "ErasureOnCluster"))
    }
    assert len(needed) == n
    assert needed <= set(compute.of(logical_id)["DependsOn"])


def test_emr_may_start_what_the_cluster_asks_for_because_it_carries_the_tag(either):
    tags = {tag["Key"]: tag["Value"] for tag in either.compute.only("AWS::EMR::Cluster")["Tags"]}
    assert tags["for-use-with-amazon-emr-managed-policies"] == "true"
    # EMR hands its tags down to the nodes, which are most of the bill.
    assert tags["project"] == "fruits"


def test_spark_and_yarn_are_set_for_these_nodes(cluster):
    spark = configuration_of(cluster, "spark-defaults")["ConfigurationProperties"]
    yarn = configuration_of(cluster, "yarn-site")["ConfigurationProperties"]
    (export,) = configuration_of(cluster, "spark-env")["Configurations"]
    assert spark["spark.executor.instances"] == "3"
    assert yarn["yarn.nodemanager.resource.memory-mb"] == str(12 * 1024)
    assert export["ConfigurationProperties"]["PYSPARK_PYTHON"] == spark["spark.pyspark.python"]


def test_yarn_counts_memory_and_not_cores(cluster):
    """An executor has every core of its node: counted, none is left for the application master."""
    found = configuration_of(cluster, "capacity-scheduler")
    calculator = found["ConfigurationProperties"]["yarn.scheduler.capacity.resource-calculator"]
    assert calculator.endswith(".DefaultResourceCalculator")
