"""What the preflight asks of AWS, and what it makes of the answers: on moto where moto has it.

moto has no quotas of EC2 and no release labels, does not know EMR's endpoint service, and tells no
vCPUs of an instance: there, a stub answers by AWS's own model of the service.
"""

import botocore.exceptions
import pytest

from cdk_app.cluster.definition import RUN_TAG
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from operations.aws.clients import aws_client
from operations.preflight.asking import Asking
from operations.preflight.facts import Computing, RunningInstance, Subscription, Unanswered
from tests.moto_server import make_stack
from tests.operations.preflight_facts import configured, fleets_of

ADDRESS = "someone@example.org"


def asked(clients, *words, stack=Computing.COMPUTE):
    config = configured(*words)
    return Asking(clients).facts(config, stack, fleets_of(config))


def test_the_account_is_that_of_the_credentials(clients):
    assert Asking(clients).account() == aws_client("sts").get_caller_identity()["Account"]


def test_an_empty_account_has_no_bootstrap_and_no_roles(clients):
    facts = asked(clients)
    assert (facts.bootstrap_version, facts.has_spot_role, facts.has_cleanup_role) == (
        None,
        False,
        False,
    )
    assert facts.running == ()


def test_the_version_of_the_cdks_stack_and_the_roles_are_found(clients):
    aws_client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    iam = aws_client("iam")
    for role in ("AWSServiceRoleForEC2Spot", "AWSServiceRoleForEMRCleanup"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    facts = asked(clients)
    assert (facts.bootstrap_version, facts.has_spot_role, facts.has_cleanup_role) == (
        30,
        True,
        True,
    )


def test_the_zones_of_each_type_are_told(clients):
    zones = asked(clients).zones_by_type
    assert set(zones) == {"m7g.xlarge", "m6g.xlarge"}
    assert "eu-central-1a" in zones["m7g.xlarge"]


def test_a_service_that_ec2_does_not_know_is_left_out(clients):
    zones = asked(clients).zones_by_service
    assert EMR_CELL_SERVICE not in zones
    assert "eu-central-1a" in zones[KMS_SERVICE]


def test_the_zones_of_emrs_own_service_are_told(ready_clients):
    zones = asked(ready_clients).zones_by_service
    assert zones[EMR_CELL_SERVICE] == {"eu-central-1a", "eu-central-1b"}


def test_quotas_and_release_are_told(ready_clients):
    facts = asked(ready_clients)
    assert (facts.on_demand_quota, facts.spot_quota) == (32, 16)
    assert facts.spark_version == "4.1.1"


@pytest.mark.parametrize("code", ["InvalidRequestException", "ValidationException"])
def test_a_release_that_emr_does_not_know_is_not_offered(clients, code):
    clients.stub("emr").add_client_error("describe_release_label", code, "not a valid label")
    assert asked(clients).spark_version is None


def instance(*, tags=()):
    return {
        "InstanceType": "m7g.xlarge",
        "CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2},
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
    }


PROJECT = (("project", "fruits"), ("environment", "test"))


@pytest.mark.parametrize(
    ("told", "is_own", "is_own_of_runs"),
    [
        (instance(), False, False),
        (instance(tags=PROJECT), True, False),
        (instance(tags=(*PROJECT, (RUN_TAG, "run-1"))), False, True),
        (instance(tags=(PROJECT[0], ("environment", "prod"))), False, False),
    ],
)
@pytest.mark.parametrize("on_spot", [True, False])
def test_what_runs_is_told_with_whose_it_is(clients, told, is_own, is_own_of_runs, on_spot):
    told = told | ({"InstanceLifecycle": "spot"} if on_spot else {})
    for stack, own in ((Computing.COMPUTE, is_own), (Computing.ON_DEMAND, is_own_of_runs)):
        ec2 = clients.stub("ec2")
        ec2.add_response("describe_instance_type_offerings", {"InstanceTypeOfferings": []})
        for _ in range(2):
            ec2.add_client_error("describe_vpc_endpoint_services", "InvalidServiceName")
        ec2.add_response(
            "describe_instances",
            {"Reservations": [{"Instances": [told]}]},
            {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running"]}]},
        )
        facts = asked(clients, stack=stack)
        assert facts.running == (RunningInstance("m7g.xlarge", 4, on_spot, own),)


def test_an_instance_without_its_vcpus_leaves_the_quotas_unchecked(clients):
    aws_client("ec2").run_instances(
        ImageId="ami-12c6146b", InstanceType="m7g.xlarge", MinCount=1, MaxCount=1
    )
    running = asked(clients).running
    assert running == Unanswered("AWS does not tell the vCPUs of a running m7g.xlarge")


def test_the_address_is_looked_up_in_the_topic_of_the_data_stack(clients):
    word = f"alarm_email={ADDRESS}"
    assert asked(clients, word).subscription is Subscription.NO_STACK
    sns = aws_client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    bucket = {"B": {"Type": "AWS::S3::Bucket"}}
    make_stack("fruits-test-data", bucket, {"NoticesTopicArn": topic})
    assert asked(clients, word).subscription is Subscription.NOT_SUBSCRIBED
    # moto confirms at once.
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert asked(clients, word).subscription is Subscription.CONFIRMED
    told = {
        "SubscriptionArn": "PendingConfirmation",
        "Endpoint": ADDRESS,
        "Protocol": "email",
        "TopicArn": topic,
        "Owner": "",
    }
    clients.stub("sns").add_response(
        "list_subscriptions_by_topic", {"Subscriptions": [told]}, {"TopicArn": topic}
    )
    assert asked(clients, word).subscription is Subscription.PENDING


def test_without_an_address_no_topic_is_asked_for(clients):
    clients.stub("sns")
    assert asked(clients).subscription is Subscription.NOT_SUBSCRIBED


def test_a_right_that_is_denied_is_named_and_the_rest_is_asked_all_the_same(clients):
    clients.stub("ssm").add_client_error(
        "get_parameter",
        "AccessDeniedException",
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: ssm:GetParameter "
        "on resource: x",
    )
    facts = asked(clients)
    assert facts.bootstrap_version == Unanswered(
        "AWS denies you ssm:GetParameter; ask for that right, or use another profile"
    )
    assert facts.has_spot_role is False


def test_a_stranger_who_answers_in_place_of_aws_is_told(clients, monkeypatch, moto_endpoint):
    # The page of an emulator that is asked for what it does not have; proxies have such pages too.
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{moto_endpoint}/moto-api/")
    seen = Asking(clients).account()
    assert isinstance(seen, Unanswered)
    assert "what answered in place of AWS was not AWS" in seen.reason


def test_the_stack_trace_is_there_for_those_who_ask(clients):
    clients.stub("sts").add_client_error("get_caller_identity", "Nonsense")
    assert "for the stack trace, add --verbose" in Asking(clients).account().reason
    clients.stub("sts").add_client_error("get_caller_identity", "Nonsense")
    with pytest.raises(botocore.exceptions.ClientError, match="Nonsense"):
        Asking(clients, verbose=True).account()
