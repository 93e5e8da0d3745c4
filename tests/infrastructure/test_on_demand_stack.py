"""The on-demand stack: free between runs, and rights for its own runs and no others."""

import json

import pytest

from tests.infrastructure.policies import allows, listed
from tests.infrastructure.synthesis import ACCOUNT

RUN_ROLE = "RunRunRole27313912"
# All that is billed while it stands there, of what a run needs.
BILLED_BY_THE_HOUR = ("AWS::EMR::Cluster", "AWS::EC2::Instance", "AWS::EC2::NatGateway")
PROJECT = {"project": "fruits", "environment": "test"}
EMR_TAG = {"for-use-with-amazon-emr-managed-policies": "true"}
# The tags of the standing cluster and its endpoints, and those of what a run makes.
STANDING = {**PROJECT, **EMR_TAG}
OF_A_RUN = {**STANDING, "fruits-run": "run-1"}
EMR_ACTIONS = (
    *("AddJobFlowSteps", "CancelSteps", "DescribeCluster", "DescribeStep", "TerminateJobFlows"),
    "PutAutoTerminationPolicy",
)


@pytest.fixture(scope="module")
def role(made):
    """Return the statements of the role of the state machine."""
    return made.on_demand.policy_of(RUN_ROLE)


def tagged(tags, key="elasticmapreduce:ResourceTag"):
    return {f"{key}/{tag}": value for tag, value in tags.items()}


def arn(service, resource, *, account=ACCOUNT, region="eu-central-1"):
    return f"arn:aws:{service}:{region}:{account}:{resource}"


def test_at_rest_nothing_is_billed_by_the_hour(either):
    stack = either.on_demand
    assert not [kind for kind in BILLED_BY_THE_HOUR if stack.resources(kind)]
    endpoint = stack.only("AWS::EC2::VPCEndpoint")
    assert endpoint["VpcEndpointType"] == "Gateway"
    assert not stack.resources("AWS::KMS::Key")
    assert not stack.resources("AWS::Lambda::Function")


def test_the_compute_stack_knows_nothing_of_it(made):
    text = json.dumps(made.compute.template)
    assert "on-demand" not in text
    assert "AWS::StepFunctions" not in text
    dependencies = made.manifest["artifacts"]["FruitsOnDemand"]["dependencies"]
    assert set(dependencies) == {"FruitsData", "FruitsOnDemand.assets"}


def test_a_run_makes_the_endpoints_that_the_compute_stack_has(made):
    services = {
        made.compute.resolve(endpoint["ServiceName"])
        for endpoint in made.compute.resources("AWS::EC2::VPCEndpoint").values()
        if endpoint["VpcEndpointType"] == "Interface"
    }
    definition = json.loads(
        made.on_demand.only("AWS::StepFunctions::StateMachine")["DefinitionString"]
    )
    creations = [
        state["Parameters"]
        for state in definition["States"].values()
        if state.get("Resource", "").endswith(":createVpcEndpoint")
    ]
    assert {creation["ServiceName"] for creation in creations} == services
    for creation in creations:
        assert creation["PrivateDnsEnabled"] is True
        assert creation["SubnetIds"] == list(made.on_demand.resources("AWS::EC2::Subnet"))
        (group,) = creation["SecurityGroupIds"]
        assert group.startswith("NetworkEndpoints")


@pytest.mark.parametrize(
    ("passed", "to", "allowed"),
    [
        ("InstanceRoleA57500A0", "ec2.amazonaws.com", True),
        ("ServiceRoleD777F2A1", "elasticmapreduce.amazonaws.com", True),
        ("InstanceRoleA57500A0", "elasticmapreduce.amazonaws.com", False),
        ("ServiceRoleD777F2A1", "ec2.amazonaws.com", False),
        ("Administrator", "elasticmapreduce.amazonaws.com", False),
    ],
)
def test_the_state_machine_passes_on_two_roles_and_no_other(role, passed, to, allowed):
    resource = f"arn:aws:iam::{ACCOUNT}:role/{passed}"
    assert allows(role, "iam:PassRole", resource, **{"iam:PassedToService": to}) is allowed
    assert not allows(role, "iam:PassRole", resource)


@pytest.mark.parametrize("action", EMR_ACTIONS)
def test_it_works_on_clusters_of_this_environment_account_and_region(role, action):
    action = f"elasticmapreduce:{action}"
    cluster = arn("elasticmapreduce", "cluster/j-1")
    assert allows(role, action, cluster, **tagged(OF_A_RUN))
    assert not allows(role, action, cluster, **tagged(EMR_TAG))
    assert not allows(role, action, cluster, **tagged({**OF_A_RUN, "environment": "prod"}))
    for elsewhere in ({"region": "us-east-1"}, {"account": "999999999999"}):
        cluster = arn("elasticmapreduce", "cluster/j-1", **elsewhere)
        assert not allows(role, action, cluster, **tagged(OF_A_RUN))


@pytest.mark.parametrize("action", EMR_ACTIONS)
def test_it_is_refused_the_standing_cluster(made, role, action):
    tags = made.compute.only("AWS::EMR::Cluster")["Tags"]
    standing = {tag["Key"]: tag["Value"] for tag in tags}
    assert standing == STANDING
    cluster = arn("elasticmapreduce", "cluster/j-standing")
    assert not allows(role, f"elasticmapreduce:{action}", cluster, **tagged(standing))


def test_what_ends_the_standing_cluster_is_refused_that_of_a_run(made):
    (name,) = (n for n in made.compute.resources("AWS::IAM::Role") if n.startswith("EndOfLife"))
    guard = made.compute.policy_of(name)
    (standing,) = made.compute.resources("AWS::EMR::Cluster")
    action = "elasticmapreduce:TerminateJobFlows"
    assert allows(guard, action, arn("elasticmapreduce", f"cluster/{standing}"))
    assert not allows(guard, action, arn("elasticmapreduce", "cluster/j-1"), **tagged(OF_A_RUN))


def test_a_cluster_that_is_being_made_has_no_tags_to_show_for_its_idle_policy(role):
    making = arn("elasticmapreduce", "cluster/*")
    assert allows(role, "elasticmapreduce:PutAutoTerminationPolicy", making)


def test_it_makes_clusters_that_emr_may_make_and_no_others(role):
    asked = tagged(OF_A_RUN, "aws:RequestTag")
    for action in ("RunJobFlow", "AddTags"):
        # EMR names the second without region and account.
        for cluster in (
            arn("elasticmapreduce", "cluster/*"),
            "arn:aws:elasticmapreduce:::cluster/*",
        ):
            assert allows(role, f"elasticmapreduce:{action}", cluster, **asked)
            for tag in asked:
                fewer = {key: value for key, value in asked.items() if key != tag}
                assert not allows(role, f"elasticmapreduce:{action}", cluster, **fewer)


def test_it_makes_two_kinds_of_endpoints_in_its_own_network(made, role):
    tags = tagged({**PROJECT, "fruits-run": "run-1"}, "aws:RequestTag")
    made_one = arn("ec2", "vpc-endpoint/*")
    for service, allowed in (
        ("com.amazonaws.eu-central-1.kms", True),
        ("aws.api.eu-central-1.emr-service-cell01", True),
        ("com.amazonaws.eu-central-1.ec2", False),
    ):
        asked = {**tags, "ec2:VpceServiceName": service}
        assert allows(role, "ec2:CreateVpcEndpoint", made_one, **asked) is allowed
    asked = {"ec2:VpceServiceName": "com.amazonaws.eu-central-1.kms"}
    for fewer in ({}, tagged(PROJECT, "aws:RequestTag")):
        assert not allows(role, "ec2:CreateVpcEndpoint", made_one, **asked, **fewer)
    (vpc,) = made.on_demand.resources("AWS::EC2::VPC")
    assert allows(role, "ec2:CreateVpcEndpoint", arn("ec2", f"vpc/{vpc}"))
    assert not allows(role, "ec2:CreateVpcEndpoint", arn("ec2", "vpc/vpc-of-others"))


def test_it_deletes_the_endpoints_of_runs_of_this_environment_only(role):
    made_by_a_run = {**PROJECT, "fruits-run": "run-1"}
    endpoint = arn("ec2", "vpc-endpoint/vpce-1")
    for tags, allowed in (
        (made_by_a_run, True),
        ({**made_by_a_run, "environment": "prod"}, False),
        # Those of the compute stack.
        (PROJECT, False),
        ({}, False),
    ):
        context = tagged(tags, "aws:ResourceTag")
        assert allows(role, "ec2:DeleteVpcEndpoints", endpoint, **context) is allowed


def test_it_tags_endpoints_only_while_it_makes_them(role):
    endpoint = arn("ec2", "vpc-endpoint/vpce-1")
    making = {"ec2:CreateAction": "CreateVpcEndpoint"}
    assert allows(role, "ec2:CreateTags", endpoint, **making)
    assert not allows(role, "ec2:CreateTags", endpoint)


def test_its_role_has_no_action_wildcard_and_no_policy_of_aws(either):
    statements = either.on_demand.policy_of(RUN_ROLE)
    assert statements
    assert not [a for s in statements for a in listed(s["Action"]) if "*" in a]
    properties = either.on_demand.of(RUN_ROLE)["Properties"]
    assert not {"ManagedPolicyArns", "Policies"} & properties.keys()


def test_only_the_state_machine_takes_on_its_role(made):
    (machine,) = made.on_demand.resources("AWS::StepFunctions::StateMachine")
    own = made.on_demand.resolve({"Ref": machine})
    trust = made.on_demand.resources("AWS::IAM::Role")[RUN_ROLE]["AssumeRolePolicyDocument"]
    for source, allowed in ((own, True), (f"{own}-2", False)):
        context = {"aws:SourceAccount": ACCOUNT, "aws:SourceArn": source}
        taken = allows(
            trust["Statement"], "sts:AssumeRole", principal="states.amazonaws.com", **context
        )
        assert taken is allowed


def test_it_can_do_all_that_its_states_do(made, role):
    """Each task has its action in the role, whatever the conditions."""
    definition = json.loads(
        made.on_demand.only("AWS::StepFunctions::StateMachine")["DefinitionString"]
    )
    needed = {
        "createCluster": "elasticmapreduce:RunJobFlow",
        "addStep.sync": "elasticmapreduce:AddJobFlowSteps",
        "listClusters": "elasticmapreduce:ListClusters",
        "terminateJobFlows": "elasticmapreduce:TerminateJobFlows",
        "listExecutions": "states:ListExecutions",
        "describeVpcEndpoints": "ec2:DescribeVpcEndpoints",
        "createVpcEndpoint": "ec2:CreateVpcEndpoint",
        "deleteVpcEndpoints": "ec2:DeleteVpcEndpoints",
        "publish": "sns:Publish",
    }
    used = {
        state["Resource"].split(":")[-1]
        for state in definition["States"].values()
        if state["Type"] == "Task"
    }
    assert used == needed.keys()
    allowed = {action for statement in role for action in listed(statement["Action"])}
    assert set(needed.values()) <= allowed


def test_the_log_of_runs_is_encrypted_and_expires(made):
    groups = made.on_demand.resources("AWS::Logs::LogGroup").values()
    (log,) = (group for group in groups if "states" in group.get("LogGroupName", ""))
    assert log["KmsKeyId"] == made.data.resolve({"Fn::GetAtt": ["StorageKeyBAA9457B", "Arn"]})
    assert log["RetentionInDays"] == 30


def test_nothing_starts_a_run_by_itself_unless_it_is_asked_for(made):
    assert made.on_demand.resources("AWS::Events::Rule") == {}
    raw = made.data.resources("AWS::S3::Bucket")["StorageRaw7E344C76"]
    assert "NotificationConfiguration" not in raw


def test_a_schedule_starts_runs_by_the_clock(make):
    stack = make(schedule="cron(0 3 ? * MON *)").on_demand
    rule = stack.only("AWS::Events::Rule")
    assert rule["ScheduleExpression"] == "cron(0 3 ? * MON *)"
    (machine,) = stack.resources("AWS::StepFunctions::StateMachine")
    (target,) = rule["Targets"]
    assert target["Arn"] == stack.resolve({"Ref": machine})


def test_a_marker_beside_the_photographs_starts_a_run(make):
    made = make(start_on_marker=True)
    pattern = made.on_demand.only("AWS::Events::Rule")["EventPattern"]
    assert pattern["detail"] == {
        "bucket": {"name": [made.data.outputs()["RawBucketName"]]},
        "object": {"key": ["start/run"]},
    }
    assert not made.data.outputs()["ImagesUri"].endswith("/start")
    raw = made.data.resources("AWS::S3::Bucket")["StorageRaw7E344C76"]
    assert raw["NotificationConfiguration"] == {
        "EventBridgeConfiguration": {"EventBridgeEnabled": True}
    }


def test_whatever_starts_a_run_can_do_nothing_else(make):
    stack = make(start_on_marker=True, schedule="rate(1 day)").on_demand
    (role,) = (name for name in stack.resources("AWS::IAM::Role") if "Triggers" in name)
    (statement,) = stack.policy_of(role)
    assert listed(statement["Action"]) == ["states:StartExecution"]
    (machine,) = stack.resources("AWS::StepFunctions::StateMachine")
    assert statement["Resource"] == stack.resolve({"Ref": machine})
