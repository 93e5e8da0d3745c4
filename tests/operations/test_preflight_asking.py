"""What the preflight asks of AWS, and what it makes of the answers: on moto where moto has it.

moto has no quotas of EC2 and no release labels, does not know EMR's endpoint service, and tells no
vCPUs of an instance: there, a stub answers by AWS's own model of the service.
"""

import botocore.exceptions
import pytest

from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from operations.aws.clients import aws_client
from operations.preflight.asking import Asking
from operations.preflight.asking_ec2 import running, s3_prefix_list
from operations.preflight.facts import (
    Computing,
    RunningInstance,
    StackState,
    Subscription,
    Toolkit,
    Unanswered,
)
from tests.moto_server import make_stack
from tests.operations.preflight_facts import account_plan, configured, fleets_of

ADDRESS = "someone@example.org"


def asked(clients, *words, stack=Computing.COMPUTE):
    return Asking(clients).facts(configured(*words), stack)


def asked_of_cluster(clients, *words):
    config = configured(*words)
    return Asking(clients).cluster_facts(config, fleets_of(config))


def test_the_account_is_that_of_the_credentials(clients):
    assert Asking(clients).account() == aws_client("sts").get_caller_identity()["Account"]


def test_an_empty_account_has_no_bootstrap_and_no_roles(clients):
    facts, of_cluster = asked(clients), asked_of_cluster(clients)
    assert (facts.bootstrap_version, facts.toolkit, facts.stack) == (None, None, None)
    assert facts.takes_budgets is True
    assert (of_cluster.has_spot_role, of_cluster.has_cleanup_role) == (False, False)
    assert of_cluster.running == ()
    assert of_cluster.n_other_vpcs == 1  # that of the region itself
    assert Asking(clients).serverless_facts().has_role is False


def test_the_version_of_the_cdks_stack_and_the_roles_are_found(clients):
    aws_client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    iam = aws_client("iam")
    for role in ("AWSServiceRoleForEC2Spot", "AWSServiceRoleForEMRCleanup"):
        iam.create_role(RoleName=role, AssumeRolePolicyDocument="{}")
    of_cluster = asked_of_cluster(clients)
    assert (of_cluster.has_spot_role, of_cluster.has_cleanup_role) == (True, True)
    assert asked(clients).bootstrap_version == 30


def test_what_the_bootstrap_was_told_is_found(clients):
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket"}}
    make_stack("CDKToolkit", bucket, {}, Qualifier="team", FileAssetsBucketKmsKeyId="")
    assert asked(clients).toolkit == Toolkit("team", "")


@pytest.mark.parametrize(("kind", "is_free"), [("FREE", True), ("PAID", False), (None, False)])
def test_the_plan_of_the_account_is_told(clients, kind, is_free):
    stub = clients.stub("freetier")
    if kind is None:  # of an account that is older than the plans
        stub.add_client_error("get_account_plan_state", "ResourceNotFoundException")
    else:
        stub.add_response("get_account_plan_state", account_plan(kind))
    assert asked(clients).is_on_free_plan is is_free


def test_the_plan_is_asked_for_where_aws_answers(clients):
    assert aws_client("freetier").meta.region_name == "us-east-1"


def test_an_account_that_another_one_pays_for_may_have_no_budget(clients):
    clients.stub("budgets").add_client_error(
        "describe_budgets",
        "AccessDeniedException",
        "Account 123456789012 is a linked account. To enable budgets for your account, ask the "
        "payer account to enable budgets first.",
    )
    assert asked(clients).takes_budgets is False


def test_a_denied_budget_is_not_known(clients):
    clients.stub("budgets").add_client_error("describe_budgets", "AccessDeniedException", "no")
    assert isinstance(asked(clients).takes_budgets, Unanswered)
    clients.stub("budgets")  # with no answer: nobody asks where none is made
    assert asked(clients, "budget_usd_per_month=0").takes_budgets is True


@pytest.mark.parametrize(("state", "has_ended"), [("TERMINATED", True), ("WAITING", False)])
def test_the_cluster_of_the_stack_is_asked_for(clients, state, has_ended):
    bucket = {"Bucket": {"Type": "AWS::S3::Bucket"}}
    make_stack("fruits-test-compute", bucket, {"ClusterId": "j-1"})
    emr = clients.stub("emr")
    emr.add_response(
        "describe_cluster", {"Cluster": {"Status": {"State": state}}}, {"ClusterId": "j-1"}
    )
    emr.add_client_error("describe_release_label", "NotInMoto")
    assert asked(clients).stack == StackState("CREATE_COMPLETE", has_ended)


def test_the_zones_of_each_type_are_told(clients):
    zones = asked_of_cluster(clients).zones_by_type
    assert set(zones) == {"m7g.xlarge", "m6g.xlarge"}
    assert "eu-central-1a" in zones["m7g.xlarge"]


def test_a_service_that_ec2_does_not_know_is_left_out(clients):
    zones = asked_of_cluster(clients).zones_by_service
    assert EMR_CELL_SERVICE not in zones
    assert "eu-central-1a" in zones[KMS_SERVICE]


def test_the_zones_of_emrs_own_service_are_told(ready_clients):
    zones = asked_of_cluster(ready_clients).zones_by_service
    assert zones[EMR_CELL_SERVICE] == {"eu-central-1a", "eu-central-1b"}


def test_quotas_and_release_are_told(ready_clients):
    facts = asked_of_cluster(ready_clients)
    assert (facts.on_demand_quota, facts.spot_quota, facts.vpc_quota) == (32, 16, 5)
    assert Asking(ready_clients).serverless_facts().quota == 16
    assert asked(ready_clients).spark_version == "4.1.1"
    assert facts.types_of_release == {"m7g.xlarge", "m6g.xlarge"}


def test_the_prefix_list_of_s3_is_told(clients):
    ec2 = clients.stub("ec2")
    name = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-central-1.s3"]}]
    for lists in ([{"PrefixListId": "pl-1"}], []):
        ec2.add_response("describe_managed_prefix_lists", {"PrefixLists": lists}, {"Filters": name})
    assert [s3_prefix_list(clients("ec2")) for _ in range(2)] == ["pl-1", None]


def test_the_vpc_of_the_stack_itself_does_not_count(clients):
    vpc = aws_client("ec2").create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    assert asked_of_cluster(clients).n_other_vpcs == 2
    tags = [{"Key": key, "Value": value} for key, value in PROJECT]
    aws_client("ec2").create_tags(Resources=[vpc], Tags=tags)
    assert asked_of_cluster(clients).n_other_vpcs == 1


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
    ("told", "is_own"),
    [
        (instance(), False),
        (instance(tags=PROJECT), True),
        (instance(tags=(PROJECT[0], ("environment", "prod"))), False),
    ],
)
@pytest.mark.parametrize("on_spot", [True, False])
def test_what_runs_is_told_with_whose_it_is(clients, told, is_own, on_spot):
    told = told | ({"InstanceLifecycle": "spot"} if on_spot else {})
    clients.stub("ec2").add_response(
        "describe_instances",
        {"Reservations": [{"Instances": [told]}]},
        {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running"]}]},
    )
    found = running(clients("ec2"), configured())
    assert found == (RunningInstance("m7g.xlarge", 4, on_spot, is_own),)


def test_an_instance_without_its_vcpus_leaves_the_quotas_unchecked(clients):
    aws_client("ec2").run_instances(
        ImageId="ami-12c6146b", InstanceType="m7g.xlarge", MinCount=1, MaxCount=1
    )
    running = asked_of_cluster(clients).running
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
    assert facts.takes_budgets is True


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
