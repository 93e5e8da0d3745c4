"""The emulated AWS, and stand-ins for what moto's has not."""

from functools import cache
from typing import ClassVar

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber

from cdk_app.cluster.definition import RELEASE_LABEL
from cdk_app.config import REGION
from cdk_app.endpoint_services import EMR_CELL_SERVICE, S3_PREFIX_LIST
from operations.aws.clients import aws_client
from operations.preflight.quota_checks import (
    ON_DEMAND_QUOTA_CODE,
    SERVERLESS_QUOTA_CODE,
    SPOT_QUOTA_CODE,
    VPC_QUOTA_CODE,
)

PAID_PLAN = {
    "accountId": "123456789012",
    "accountPlanType": "PAID",
    "accountPlanStatus": "ACTIVE",
}

_shared_loader = cache(botocore.session.create_loader)


class Clients:
    """Clients of the emulator, but for the services that a test has stubbed."""

    def __init__(self):
        self._clients = {}
        # moto's answer to these is an error of the server, which a client asks for again and again.
        self.stub("emr").add_client_error("describe_release_label", "NotInMoto")
        self.stub("freetier").add_client_error("get_account_plan_state", "NotInMoto")

    def __call__(self, service):
        if service not in self._clients:
            self._clients[service] = aws_client(service)
        return self._clients[service]

    def use(self, service, client):
        """Give this client from now on, and return it."""
        self._clients[service] = client
        return client

    def stub(self, service):
        """Return the stubber of a client that answers by the model of the service alone."""
        stubber = Stubber(self.use(service, boto3.client(service, region_name=REGION)))
        stubber.activate()
        return stubber


class Quotas:
    """The quotas that are asked for, in any order."""

    _VALUES: ClassVar = {
        ("ec2", ON_DEMAND_QUOTA_CODE): 32.0,
        ("ec2", SPOT_QUOTA_CODE): 16.0,
        ("vpc", VPC_QUOTA_CODE): 5.0,
        ("emr-serverless", SERVERLESS_QUOTA_CODE): 16.0,
    }

    def get_service_quota(self, *, ServiceCode, QuotaCode):  # noqa: N803 - the names of AWS
        return {"Quota": {"Value": self._VALUES[ServiceCode, QuotaCode]}}


class Releases:
    """What EMR tells of its release, its list of types in two pages."""

    def describe_release_label(self, *, ReleaseLabel):  # noqa: N803 - the name of AWS
        assert ReleaseLabel == RELEASE_LABEL
        return {"Applications": [{"Name": "Spark", "Version": "4.1.1"}]}

    def list_supported_instance_types(self, *, ReleaseLabel, Marker="first"):  # noqa: N803
        assert ReleaseLabel == RELEASE_LABEL
        return {
            "first": {"SupportedInstanceTypes": [{"Type": "m7g.xlarge"}], "Marker": "second"},
            "second": {"SupportedInstanceTypes": [{"Type": "m6g.xlarge"}]},
        }[Marker]


@pytest.fixture(autouse=True)
def own_session(monkeypatch):
    """Let no test meet the credentials of one before it, which boto3 keeps for a process."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    # Each session would parse the models of its services anew: 0.15 s per test.
    monkeypatch.setattr(botocore.session, "create_loader", _shared_loader)


@pytest.fixture
def clients(emulated_aws):
    return Clients()


@pytest.fixture
def ready_clients(clients):
    """Answer for the services that moto lacks as for an account that is ready.

    moto has few quotas, no release labels to describe, no plans of accounts, no prefix list of S3
    and not the endpoint service of EMR.
    """
    clients.use("service-quotas", Quotas())
    clients.use("emr", Releases())
    clients.stub("freetier").add_response("get_account_plan_state", PAID_PLAN)
    ec2 = aws_client("ec2")
    emulated = ec2.describe_vpc_endpoint_services
    zones = [f"{REGION}a", f"{REGION}b"]

    def describe(*, ServiceNames):  # noqa: N803 - the name of AWS
        if ServiceNames == [EMR_CELL_SERVICE]:
            told = {"ServiceName": EMR_CELL_SERVICE, "AvailabilityZones": zones}
            return {"ServiceDetails": [told]}
        return emulated(ServiceNames=ServiceNames)

    def prefix_lists(*, Filters):  # noqa: N803 - the name of AWS
        return {"PrefixLists": [{"PrefixListId": S3_PREFIX_LIST}]}

    ec2.describe_vpc_endpoint_services = describe
    ec2.describe_managed_prefix_lists = prefix_lists
    clients.use("ec2", ec2)
    aws_client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    return clients
