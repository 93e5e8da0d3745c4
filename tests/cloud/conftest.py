"""An AWS for tests that ask for one: moto's server in its own process, emptied before each."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest

from spark_assets.cloud.clients import REGION, aws_client
from tests.moto_server import moto_server

STEPS = [
    {"name": "featurize", "arguments": ["spark-submit", "s3://code/featurize.py", "--limit", "5"]},
    {"name": "reduce", "arguments": ["spark-submit", "s3://code/reduce.py"]},
    {"name": "report", "arguments": ["spark-submit", "s3://code/report.py"]},
]
RAW, RESULTS, LOGS = "fruits-raw", "fruits-results", "fruits-logs"


@pytest.fixture(scope="session")
def endpoint(starts_processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead every client to where nothing listens, past whatever this machine knows of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Another region than that of the stacks: what finds them has chosen its region itself.
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


@pytest.fixture
def aws(no_aws: None, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead every client to the server, which is as good as new."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()


@pytest.fixture
def s3(aws: None) -> Any:
    return aws_client("s3")


def make_stack(
    name: str, resources: dict[str, Any], outputs: dict[str, Any], *, region: str = REGION
) -> None:
    template = {
        "Resources": resources,
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    client = boto3.client("cloudformation", region_name=region)
    client.create_stack(StackName=name, TemplateBody=json.dumps(template))


@pytest.fixture
def make_data_stack(aws: None) -> Callable[..., None]:
    def make(environment: str = "test", **more_outputs: str) -> None:
        names = {"Raw": RAW, "Results": RESULTS, "Logs": LOGS}
        make_stack(
            f"fruits-{environment}-data",
            {
                key: {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name}}
                for key, name in names.items()
            },
            {
                **{f"{key}BucketName": {"Ref": key} for key in names},
                "ImagesUri": f"s3://{RAW}/images",
                "OutputUri": f"s3://{RESULTS}/chain",
                **more_outputs,
            },
        )
        # moto's CloudFormation overlooks the versioning of a bucket.
        for name in names.values():
            aws_client("s3").put_bucket_versioning(
                Bucket=name, VersioningConfiguration={"Status": "Enabled"}
            )

    return make


@dataclass(frozen=True)
class MadeCluster:
    cluster_id: str
    client: Any


@pytest.fixture
def make_compute_stack(aws: None) -> Callable[..., MadeCluster]:
    def make(steps: str = json.dumps(STEPS)) -> MadeCluster:
        client = aws_client("emr")
        cluster = client.run_job_flow(
            Name="fruits",
            ReleaseLabel="emr-7.0.0",
            JobFlowRole="role",
            ServiceRole="role",
            Instances={"KeepJobFlowAliveWhenNoSteps": True},
        )
        parameter = {"Type": "String", "Name": "/fruits/test/steps", "Value": steps}
        make_stack(
            "fruits-test-compute",
            {"Steps": {"Type": "AWS::SSM::Parameter", "Properties": parameter}},
            {
                "ClusterId": cluster["JobFlowId"],
                "StepsParameterName": {"Ref": "Steps"},
                "LogUri": f"s3://{LOGS}/emr/",
            },
        )
        return MadeCluster(cluster["JobFlowId"], client)

    return make
