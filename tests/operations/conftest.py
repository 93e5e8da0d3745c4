"""The emulated AWS, and stand-ins for what moto's has not."""

import boto3
import pytest
from botocore.stub import Stubber

from cdk_app.cluster.definition import RELEASE_LABEL
from cdk_app.config import REGION
from cdk_app.endpoint_services import EMR_CELL_SERVICE
from operations.aws.clients import aws_client
from operations.preflight.capacity import ON_DEMAND_QUOTA_CODE, SPOT_QUOTA_CODE


class Clients:
    """Clients of the emulator, but for the services that a test has stubbed."""

    def __init__(self):
        self._clients = {}
        # moto's answer to this is an error of the server, which a client asks for again and again.
        self.stub("emr").add_client_error("describe_release_label", "NotInMoto")

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


@pytest.fixture(autouse=True)
def own_session(monkeypatch):
    """Let no test meet the credentials of one before it, which boto3 keeps for a process."""
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def clients(emulated_aws):
    return Clients()


@pytest.fixture
def ready_clients(clients):
    """Answer for the services that moto lacks as for an account that is ready.

    moto has no quotas of EC2, no release labels to describe, and not the endpoint service of EMR.
    """
    quotas = clients.stub("service-quotas")
    for code, value in ((ON_DEMAND_QUOTA_CODE, 32.0), (SPOT_QUOTA_CODE, 16.0)):
        quotas.add_response(
            "get_service_quota",
            {"Quota": {"QuotaCode": code, "Value": value}},
            {"ServiceCode": "ec2", "QuotaCode": code},
        )
    clients.stub("emr").add_response(
        "describe_release_label",
        {"ReleaseLabel": RELEASE_LABEL, "Applications": [{"Name": "Spark", "Version": "4.1.1"}]},
        {"ReleaseLabel": RELEASE_LABEL},
    )
    ec2 = aws_client("ec2")
    emulated = ec2.describe_vpc_endpoint_services
    zones = [f"{REGION}a", f"{REGION}b"]

    def describe(*, ServiceNames):  # noqa: N803 - the name of AWS
        if ServiceNames == [EMR_CELL_SERVICE]:
            told = {"ServiceName": EMR_CELL_SERVICE, "AvailabilityZones": zones}
            return {"ServiceDetails": [told]}
        return emulated(ServiceNames=ServiceNames)

    ec2.describe_vpc_endpoint_services = describe
    clients.use("ec2", ec2)
    aws_client("ssm").put_parameter(
        Name="/cdk-bootstrap/hnb659fds/version", Value="30", Type="String"
    )
    return clients
