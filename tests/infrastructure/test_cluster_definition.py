"""One definition, two renderings: what CloudFormation makes, and what a run asks EMR for."""

import json

import pytest

# Where the two APIs spell it differently, or one of them has no such setting.
FLEETS = {"MasterInstanceFleet": "MASTER", "CoreInstanceFleet": "CORE"}


def asked_of_emr(made):
    machine = made.on_demand.only("AWS::StepFunctions::StateMachine")
    return json.loads(machine["DefinitionString"])["States"]["Create cluster"]["Parameters"]


def as_cloudformation_says(settings):
    """Return EMR's configurations with the name that CloudFormation gives their properties."""
    if isinstance(settings, list):
        return [as_cloudformation_says(each) for each in settings]
    renamed = {"Properties": "ConfigurationProperties"}
    return {
        renamed.get(key, key): as_cloudformation_says(value) if key == "Configurations" else value
        for key, value in settings.items()
    }


@pytest.fixture(
    scope="module",
    params=[
        {},
        {"n_task_nodes": 0},
        {"environment": "prod", "worker_instance_type": "r7g.4xlarge"},
    ],
    ids=["default", "no task nodes", "prod"],
)
def both(request, make):
    """Return a cluster of the compute stack, and what a run asks for with the same settings."""
    made = make(**request.param)
    return made.compute.only("AWS::EMR::Cluster"), asked_of_emr(made)


@pytest.mark.parametrize(
    "key",
    [
        *("ReleaseLabel", "Applications", "BootstrapActions", "AutoTerminationPolicy", "LogUri"),
        *("StepConcurrencyLevel", "EbsRootVolumeSize", "VisibleToAllUsers"),
    ],
)
def test_both_have_the_same(both, key):
    cluster, asked = both
    assert cluster[key] == asked[key]


def test_both_have_the_same_settings(both):
    cluster, asked = both
    assert cluster["Configurations"] == as_cloudformation_says(asked["Configurations"])
    assert len(asked["Configurations"]) == 4


def test_both_have_the_same_nodes(both):
    cluster, asked = both
    instances = cluster["Instances"]
    expected = [{**instances[key], "InstanceFleetType": kind} for key, kind in FLEETS.items()] + [
        {**fleet, "InstanceFleetType": "TASK"} for fleet in instances.get("TaskInstanceFleets", [])
    ]
    assert asked["Instances"]["InstanceFleets"] == expected


def test_both_keep_the_cluster_for_its_steps_and_protect_none_from_its_end(both):
    cluster, asked = both
    for key in ("KeepJobFlowAliveWhenNoSteps", "TerminationProtected"):
        assert cluster["Instances"][key] == asked["Instances"][key]
    assert asked["Instances"]["TerminationProtected"] is False


def test_both_are_tagged_alike(both):
    cluster, asked = both
    tags = {tag["Key"]: tag["Value"] for tag in asked["Tags"] if "Value" in tag}
    run = asked["Tags"][-1]
    assert run == {"Key": "fruits-run", "Value.$": "$$.Execution.Name"}
    assert tags.items() <= {tag["Key"]: tag["Value"] for tag in cluster["Tags"]}.items()
    assert tags["for-use-with-amazon-emr-managed-policies"] == "true"


def test_both_are_encrypted_alike(made):
    compute, on_demand = (
        stack.only("AWS::EMR::SecurityConfiguration") for stack in (made.compute, made.on_demand)
    )
    assert compute["SecurityConfiguration"] == on_demand["SecurityConfiguration"]
    (name,) = made.on_demand.resources("AWS::EMR::SecurityConfiguration")
    assert asked_of_emr(made)["SecurityConfiguration"] == name


def test_each_lies_in_the_network_of_its_own_stack(made):
    for stack, instances in (
        (made.compute, made.compute.only("AWS::EMR::Cluster")["Instances"]),
        (made.on_demand, asked_of_emr(made)["Instances"]),
    ):
        assert instances["Ec2SubnetIds"] == list(stack.resources("AWS::EC2::Subnet"))
        groups = stack.resources("AWS::EC2::SecurityGroup")
        for key in ("EmrManagedMaster", "EmrManagedSlave", "ServiceAccess"):
            assert instances[f"{key}SecurityGroup"] in groups


def test_what_a_run_leaves_out_of_the_compute_stacks_cluster_is_known(both):
    """The log bucket encrypts with the same key what EMR writes there without being told."""
    cluster, asked = both
    assert cluster.keys() - asked.keys() == {"LogEncryptionKmsKeyId", "Name"}
    # With the name of the run behind it.
    assert asked.keys() - cluster.keys() == {"Name.$"}


def test_both_run_the_same_steps(made_with_steps):
    deployed = [
        (step["Name"], step["HadoopJarStep"]["Jar"], step["HadoopJarStep"]["Args"])
        for step in made_with_steps.compute.resources("AWS::EMR::Step").values()
    ]
    machine = made_with_steps.on_demand.only("AWS::StepFunctions::StateMachine")
    states = json.loads(machine["DefinitionString"])["States"].values()
    asked = [
        (step["Name"], step["HadoopJarStep"]["Jar"], step["HadoopJarStep"]["Args"])
        for step in (state["Parameters"]["Step"] for state in states if "addStep" in str(state))
    ]
    assert sorted(asked) == sorted(deployed)
