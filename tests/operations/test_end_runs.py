"""``python -m operations.end_runs``: nothing of a run on demand outlives its stack.

On moto's Step Functions, EMR and EC2, where a cluster ends and an endpoint goes at once; where they
take their time, a stand-in answers one state after the other.
"""

import json

import pytest

from cdk_app.cluster.definition import RUN_TAG
from cdk_app.endpoint_services import KMS_SERVICE
from operations.aws.clients import aws_client
from operations.cdk.context import read_config
from operations.end_runs import __main__ as command
from operations.end_runs.leftovers import delete_endpoints, end_clusters
from operations.end_runs.stack import find_run_stack
from operations.end_runs.waiting import Waiting
from spark_assets.errors import FruitsError
from tests.moto_server import make_stack

DEFINITION = {"StartAt": "Begin", "States": {"Begin": {"Type": "Wait", "Seconds": 1, "End": True}}}
TEST = {"project": "fruits", "environment": "test"}
RUN = {**TEST, RUN_TAG: "run-1"}
CONFIG = read_config(["environment=test"])
STACK = "fruits-test-on-demand"


class Clock:
    """A clock that stands still but for what is slept."""

    def __init__(self):
        self.now = 0.0

    def waiting(self):
        return Waiting(interval_s=60, sleep=self.sleep, clock=lambda: self.now)

    def sleep(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def end_runs(emulated_aws, clock):
    def run(*words):
        return command.main([*words, "-c", "environment=test"], waiting=clock.waiting())

    return run


def make_run_stack(name=STACK):
    machine = {
        "StateMachineName": name,
        "DefinitionString": json.dumps(DEFINITION),
        "RoleArn": "arn:aws:iam::123456789012:role/run",
    }
    make_stack(
        name,
        {
            "Vpc": {"Type": "AWS::EC2::VPC", "Properties": {"CidrBlock": "10.42.0.0/24"}},
            "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
        },
        {},
    )


@pytest.fixture
def stack(emulated_aws):
    """Make the stack with its network and its state machine, and return both."""
    make_run_stack()
    return find_run_stack(CONFIG)


def make_cluster(tags):
    made = aws_client("emr").run_job_flow(
        Name="fruits",
        ReleaseLabel="emr-7.0.0",
        JobFlowRole="role",
        ServiceRole="role",
        Instances={"KeepJobFlowAliveWhenNoSteps": True},
        Tags=as_tags(tags),
    )
    return made["JobFlowId"]


def make_endpoint(vpc_id, tags, kind="Interface"):
    made = aws_client("ec2").create_vpc_endpoint(
        VpcId=vpc_id,
        ServiceName=KMS_SERVICE,
        VpcEndpointType=kind,
        TagSpecifications=[{"ResourceType": "vpc-endpoint", "Tags": as_tags(tags)}],
    )
    return made["VpcEndpoint"]["VpcEndpointId"]


def as_tags(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def start_run(stack):
    started = aws_client("stepfunctions").start_execution(stateMachineArn=stack.machine_arn)
    return started["executionArn"]


def status_of(execution_arn):
    return aws_client("stepfunctions").describe_execution(executionArn=execution_arn)["status"]


def state_of(cluster_id):
    return aws_client("emr").describe_cluster(ClusterId=cluster_id)["Cluster"]["Status"]["State"]


def endpoint_states():
    endpoints = aws_client("ec2").describe_vpc_endpoints()["VpcEndpoints"]
    return {each["VpcEndpointId"]: each["State"] for each in endpoints}


def test_without_a_stack_nothing_is_said(end_runs, capsys):
    cluster = make_cluster(RUN)
    assert end_runs() == 0
    assert capsys.readouterr() == ("", "")
    assert state_of(cluster) == "WAITING"


def test_a_stack_that_no_run_left_anything_in_is_let_go(end_runs, stack, capsys, clock):
    assert end_runs() == 0
    assert capsys.readouterr() == ("", "")
    assert clock.now == 0


def test_a_run_that_is_under_way_is_in_the_way(end_runs, stack, capsys):
    run = start_run(stack)
    cluster, endpoint = make_cluster(RUN), make_endpoint(stack.vpc_id, RUN)
    assert end_runs() == 1
    assert capsys.readouterr().err == (
        f"fruits: the run {run.rpartition(':')[2]} is under way and needs this stack to end its "
        "cluster, so nothing was deleted; follow it with: .venv/bin/fruits status --on-demand, or "
        "stop it with: make destroy STACK=on-demand STOP=yes\n"
    )
    assert (status_of(run), state_of(cluster)) == ("RUNNING", "WAITING")
    assert endpoint_states() == {endpoint: "available"}


def test_a_run_can_be_stopped_and_what_it_made_goes_with_it(end_runs, stack, capsys, clock):
    run = start_run(stack)
    cluster, endpoint = make_cluster(RUN), make_endpoint(stack.vpc_id, RUN)
    assert end_runs("--stop") == 0
    assert (status_of(run), state_of(cluster)) == ("ABORTED", "TERMINATED")
    assert endpoint_states() == {endpoint: "deleted"}
    lines = capsys.readouterr().err.splitlines()
    assert [line for line in lines if line[0] != " "] == [
        f"stopped the run {run.rpartition(':')[2]}; what its steps have completed stays",
        f"ending the cluster {cluster} of runs on demand, which takes some minutes",
        f"deleting the endpoint {endpoint} of runs on demand",
    ]
    # EMR is given a moment to know of what the run has asked last.
    assert clock.now == 60


def test_what_aborted_runs_left_goes_without_being_asked(end_runs, stack):
    clusters = [make_cluster({**RUN, RUN_TAG: name}) for name in ("run-1", "run-2")]
    make_endpoint(stack.vpc_id, RUN)
    assert end_runs() == 0
    assert {state_of(cluster) for cluster in clusters} == {"TERMINATED"}
    assert set(endpoint_states().values()) == {"deleted"}


def test_nothing_else_is_touched(end_runs, stack):
    other_vpc = aws_client("ec2").create_vpc(CidrBlock="10.43.0.0/24")["Vpc"]["VpcId"]
    prod = {**RUN, "environment": "prod"}
    clusters = [make_cluster(tags) for tags in (TEST, {}, prod, {RUN_TAG: "run-1"})]
    endpoints = [
        make_endpoint(stack.vpc_id, TEST),
        make_endpoint(stack.vpc_id, {RUN_TAG: "run-1"}),
        make_endpoint(stack.vpc_id, prod),
        make_endpoint(stack.vpc_id, RUN, kind="Gateway"),
        make_endpoint(other_vpc, RUN),
    ]
    assert end_runs("--stop") == 0
    assert {state_of(cluster) for cluster in clusters} == {"WAITING"}
    assert endpoint_states() == dict.fromkeys(endpoints, "available")


def test_a_stack_that_is_half_deleted_is_cleaned_up_all_the_same(end_runs):
    make_stack(STACK, {"B": {"Type": "AWS::S3::Bucket"}}, {})
    cluster = make_cluster(RUN)
    assert end_runs() == 0
    assert state_of(cluster) == "TERMINATED"


def test_a_run_that_starts_meanwhile_is_not_overlooked(end_runs, stack, monkeypatch, capsys):
    monkeypatch.setattr(command, "delete_endpoints", lambda *_: start_run(stack))
    assert end_runs() == 1
    assert "is under way and needs this stack" in capsys.readouterr().err


def test_of_prod_the_commands_are_told_for_prod(emulated_aws, capsys):
    make_run_stack("fruits-prod-on-demand")
    start_run(find_run_stack(read_config(["environment=prod"])))
    assert command.main(["-c", "environment=prod"]) == 1
    told = capsys.readouterr().err
    assert "fruits status --on-demand --environment prod, or stop it with" in told
    assert "make destroy STACK=on-demand STOP=yes ENVIRONMENT=prod" in told


def test_credentials_that_do_not_work_are_told(monkeypatch, capsys):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert command.main(["-c", "environment=test"]) == 1
    assert "fruits: no AWS credentials were found" in capsys.readouterr().err


def test_an_interrupt_leaves_the_rest_to_the_same_command(monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "end_runs", interrupt)
    assert command.main([]) == 130
    assert capsys.readouterr().err == "interrupted; the same command goes on from here\n"


class Emr:
    """One cluster, which is in the next state at each look, and in the last for ever."""

    def __init__(self, *states):
        self.states = list(states)
        self.ended = []

    def get_paginator(self, name):
        assert name == "list_clusters"
        return self

    def paginate(self, *, ClusterStates):  # noqa: N803 - the name of AWS
        return [{"Clusters": [{"Id": "j-1"}] if self.states[0] in ClusterStates else []}]

    def describe_cluster(self, *, ClusterId):  # noqa: N803
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return {"Cluster": {"Id": ClusterId, "Status": {"State": state}, "Tags": as_tags(RUN)}}

    def terminate_job_flows(self, *, JobFlowIds):  # noqa: N803
        self.ended += JobFlowIds


def test_a_cluster_is_waited_for_with_a_line_at_each_state(clock, capsys):
    emr = Emr("RUNNING", "RUNNING", "TERMINATING", "TERMINATING", "TERMINATED")
    end_clusters(emr, CONFIG, clock.waiting())
    assert emr.ended == ["j-1"]
    assert [line.split("s  ")[-1] for line in capsys.readouterr().err.splitlines()] == [
        "ending the cluster j-1 of runs on demand, which takes some minutes",
        "cluster j-1 RUNNING",
        "cluster j-1 TERMINATING",
        "cluster j-1 gone",
    ]


def test_a_cluster_that_is_ending_is_waited_for_and_not_ended_again(clock):
    emr = Emr("TERMINATING", "TERMINATING", "TERMINATED_WITH_ERRORS")
    end_clusters(emr, CONFIG, clock.waiting())
    assert emr.ended == []


def test_a_cluster_that_does_not_end_is_a_failure_after_a_while(clock):
    with pytest.raises(FruitsError, match="the cluster j-1 did not end within 30 minutes"):
        end_clusters(Emr("RUNNING"), CONFIG, clock.waiting())
    assert clock.now == 30 * 60


class Ec2:
    """One endpoint, which is in the next state at each look, and in the last for ever."""

    def __init__(self, *states, refused=()):
        self.states = list(states)
        self.refused = list(refused)
        self.deleted = []

    def get_paginator(self, name):
        assert name == "describe_vpc_endpoints"
        return self

    def paginate(self, *, Filters):  # noqa: N803 - the name of AWS
        assert Filters
        state = self.states.pop(0) if len(self.states) > 1 else self.states[0]
        return [{"VpcEndpoints": [{"VpcEndpointId": "vpce-1", "State": state}]}]

    def delete_vpc_endpoints(self, *, VpcEndpointIds):  # noqa: N803
        self.deleted += VpcEndpointIds
        return {"Unsuccessful": self.refused}


def test_an_endpoint_is_waited_for(clock, capsys):
    ec2 = Ec2("Available", "deleting", "deleting", "deleted")
    delete_endpoints(ec2, CONFIG, "vpc-1", clock.waiting())
    assert ec2.deleted == ["vpce-1"]
    assert clock.now == 120
    assert capsys.readouterr().err.splitlines()[-1].endswith("endpoint vpce-1 gone")


def test_an_endpoint_that_is_going_is_not_deleted_again(clock):
    ec2 = Ec2("deleting", "deleted")
    delete_endpoints(ec2, CONFIG, "vpc-1", clock.waiting())
    assert ec2.deleted == []


def test_an_endpoint_that_stays_is_a_failure_after_a_while(clock):
    with pytest.raises(FruitsError, match="the endpoint vpce-1 did not go within 15 minutes"):
        delete_endpoints(Ec2("deleting"), CONFIG, "vpc-1", clock.waiting())


def test_an_endpoint_that_aws_keeps_is_told_with_its_reason(clock):
    error = {"Code": "x", "Message": "Endpoint of 123456789012 is managed by a service."}
    refused = [{"ResourceId": "vpce-1", "Error": error}]
    with pytest.raises(FruitsError, match=r"the endpoint vpce-1: Endpoint of <account> is man"):
        delete_endpoints(Ec2("available", refused=refused), CONFIG, "vpc-1", clock.waiting())
