"""The preflight's reads of an account, on moto where moto has them.

moto has no quotas of EC2 and no release labels, does not know EMR's endpoint service, and tells no
vCPUs of an instance: there, a stub answers by AWS's own model of the service.
"""

import botocore.exceptions
import pytest

from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from operations.aws.clients import aws_client
from operations.cdk.configuration import read_config
from operations.preflight.account_checks import StackState, Toolkit
from operations.preflight.account_reader import AccountReader
from operations.preflight.finding import Computing
from operations.preflight.quota_checks import SERVERLESS_QUOTA_CODE, RunningInstance
from operations.preflight.run_preflight import run_preflight
from spark_assets.errors import FruitsError
from tests.moto_server import make_stack
from tests.operations.conftest import PAID_PLAN

ADDRESS = "someone@example.org"
BUCKET = {"Bucket": {"Type": "AWS::S3::Bucket"}}
PROJECT = (("project", "fruits"), ("environment", "test"))


def reader(clients, *words):
    return AccountReader(clients, read_config(words))


def test_an_empty_account_has_no_bootstrap_no_stack_and_the_vpc_of_the_region(clients):
    account = reader(clients)
    assert account.account_id() == aws_client("sts").get_caller_identity()["Account"]
    assert account.bootstrap_version() is account.toolkit() is None
    assert account.stack_state(Computing.COMPUTE) is None
    assert account.allows_budgets() is True
    assert account.running_instances() == []
    assert account.n_other_vpcs() == 1


def test_version_and_parameters_of_the_bootstrap_are_read(clients):
    aws_client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    make_stack("CDKToolkit", BUCKET, {}, Qualifier="team", FileAssetsBucketKmsKeyId="")
    assert reader(clients).bootstrap_version() == 30
    assert reader(clients).toolkit() == Toolkit("team", "")


@pytest.mark.parametrize(("kind", "is_free"), [("FREE", True), ("PAID", False), (None, False)])
def test_the_plan_of_the_account_is_read(clients, kind, is_free):
    stub = clients.stub("freetier")
    if kind is None:  # an account older than the plans
        stub.add_client_error("get_account_plan_state", "ResourceNotFoundException")
    else:
        stub.add_response("get_account_plan_state", PAID_PLAN | {"accountPlanType": kind})
    assert reader(clients).is_on_free_plan() is is_free
    assert aws_client("freetier").meta.region_name == "us-east-1"


def test_a_linked_account_may_have_no_budget_and_a_denied_read_is_raised(clients):
    clients.stub("budgets").add_client_error(
        "describe_budgets",
        "AccessDeniedException",
        "Account 123456789012 is a linked account. To enable budgets for your account, ask the "
        "payer account to enable budgets first.",
    )
    assert reader(clients).allows_budgets() is False
    clients.stub("budgets").add_client_error("describe_budgets", "AccessDeniedException", "no")
    with pytest.raises(botocore.exceptions.ClientError):
        reader(clients).allows_budgets()


@pytest.mark.parametrize(("state", "has_ended"), [("TERMINATED", True), ("WAITING", False)])
def test_the_cluster_of_the_stack_is_read(clients, state, has_ended):
    make_stack("fruits-test-compute", BUCKET, {"ClusterId": "j-1"})
    clients.stub("emr").add_response(
        "describe_cluster", {"Cluster": {"Status": {"State": state}}}, {"ClusterId": "j-1"}
    )
    assert reader(clients).stack_state(Computing.COMPUTE) == StackState(
        "CREATE_COMPLETE", has_ended
    )


def test_the_zones_of_types_and_services_are_read(clients, ready_clients):
    zones = reader(clients).zones_by_type(["m6g.xlarge", "m7g.xlarge"])
    assert set(zones) == {"m7g.xlarge", "m6g.xlarge"}
    assert "eu-central-1a" in zones["m7g.xlarge"]
    zones = reader(ready_clients).zones_by_service()
    assert zones[EMR_CELL_SERVICE] == {"eu-central-1a", "eu-central-1b"}


def test_a_service_that_ec2_does_not_know_is_left_out(clients):
    zones = reader(clients).zones_by_service()
    assert EMR_CELL_SERVICE not in zones
    assert "eu-central-1a" in zones[KMS_SERVICE]


def test_quotas_release_and_every_page_of_types_are_read(ready_clients):
    account = reader(ready_clients)
    assert account.quota("emr-serverless", SERVERLESS_QUOTA_CODE) == 16
    assert account.spark_version() == "4.1.1"
    assert account.supported_types() == {"m7g.xlarge", "m6g.xlarge"}


@pytest.mark.parametrize("code", ["InvalidRequestException", "ValidationException"])
def test_a_release_that_emr_does_not_know_is_not_offered(clients, code):
    clients.stub("emr").add_client_error("describe_release_label", code, "not a valid label")
    assert reader(clients).spark_version() is None


def test_the_prefix_list_of_s3_is_read(clients):
    ec2 = clients.stub("ec2")
    name = [{"Name": "prefix-list-name", "Values": ["com.amazonaws.eu-central-1.s3"]}]
    for lists in ([{"PrefixListId": "pl-1"}], []):
        ec2.add_response("describe_managed_prefix_lists", {"PrefixLists": lists}, {"Filters": name})
    assert [reader(clients).s3_prefix_list() for _ in range(2)] == ["pl-1", None]


def test_the_vpc_of_the_stack_itself_does_not_count(clients):
    vpc = aws_client("ec2").create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]["VpcId"]
    assert reader(clients).n_other_vpcs() == 2
    tags = [{"Key": key, "Value": value} for key, value in PROJECT]
    aws_client("ec2").create_tags(Resources=[vpc], Tags=tags)
    assert reader(clients).n_other_vpcs() == 1


@pytest.mark.parametrize(
    ("tags", "is_own"),
    [((), False), (PROJECT, True), ((PROJECT[0], ("environment", "prod")), False)],
)
@pytest.mark.parametrize("on_spot", [True, False])
def test_running_instances_are_read_with_market_and_owner(clients, tags, is_own, on_spot):
    instance = {
        "InstanceType": "m7g.xlarge",
        "CpuOptions": {"CoreCount": 2, "ThreadsPerCore": 2},
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
        **({"InstanceLifecycle": "spot"} if on_spot else {}),
    }
    clients.stub("ec2").add_response(
        "describe_instances",
        {"Reservations": [{"Instances": [instance]}]},
        {"Filters": [{"Name": "instance-state-name", "Values": ["pending", "running"]}]},
    )
    found = reader(clients).running_instances()
    assert found == [RunningInstance("m7g.xlarge", 4, on_spot, is_own)]


def test_an_instance_without_its_vcpus_leaves_the_quotas_unchecked(clients):
    aws_client("ec2").run_instances(
        ImageId="ami-12c6146b", InstanceType="m7g.xlarge", MinCount=1, MaxCount=1
    )
    with pytest.raises(FruitsError, match=r"returns no vCPU count for a running m7g\.xlarge"):
        reader(clients).running_instances()


def test_the_address_is_looked_up_in_the_topic_of_the_data_stack(clients):
    account = reader(clients, f"alarm_email={ADDRESS}")
    assert account.has_confirmed_address() is None
    sns = aws_client("sns")
    topic = sns.create_topic(Name="notices")["TopicArn"]
    make_stack("fruits-test-data", BUCKET, {"NoticesTopicArn": topic})
    assert account.has_confirmed_address() is None
    # moto confirms at once.
    sns.subscribe(TopicArn=topic, Protocol="email", Endpoint=ADDRESS)
    assert account.has_confirmed_address() is True
    pending = {
        "SubscriptionArn": "PendingConfirmation",
        "Endpoint": ADDRESS,
        "Protocol": "email",
        "TopicArn": topic,
        "Owner": "",
    }
    clients.stub("sns").add_response(
        "list_subscriptions_by_topic", {"Subscriptions": [pending]}, {"TopicArn": topic}
    )
    assert account.has_confirmed_address() is False


def test_an_answer_that_is_not_of_aws_is_one_sentence(clients, monkeypatch, moto_endpoint):
    # The emulator's page for an unknown address; proxies have such pages too.
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", f"{moto_endpoint}/moto-api/")
    (seen,) = run_preflight(read_config(), Computing.COMPUTE, clients)
    assert "what answered in place of AWS was not AWS" in seen.finding.sentence


def test_the_stack_trace_is_there_with_verbose(clients):
    clients.stub("sts").add_client_error("get_caller_identity", "Nonsense")
    (seen,) = run_preflight(read_config(), Computing.COMPUTE, clients)
    assert "for the stack trace, add --verbose" in seen.finding.sentence
    clients.stub("sts").add_client_error("get_caller_identity", "Nonsense")
    with pytest.raises(botocore.exceptions.ClientError, match="Nonsense"):
        run_preflight(read_config(), Computing.COMPUTE, clients, verbose=True)
