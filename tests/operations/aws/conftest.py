"""What is deployed in the emulated AWS, for the tests that ask for one."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from operations.aws.clients import aws_client
from tests.moto_server import lead_to, make_stack

STEPS = [
    {"name": "featurize", "arguments": ["spark-submit", "s3://code/featurize.py", "--limit", "5"]},
    {"name": "reduce", "arguments": ["spark-submit", "s3://code/reduce.py"]},
    {"name": "report", "arguments": ["spark-submit", "s3://code/report.py"]},
]
NOTEBOOK_STEP = {"name": "notebook", "arguments": ["spark-submit", "s3://code/notebook.py"]}
RAW, RESULTS, LOGS = "fruits-raw", "fruits-results", "fruits-logs"


@pytest.fixture(autouse=True)
def no_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead every client to where nothing listens."""
    lead_to("http://127.0.0.1:9", monkeypatch)


@pytest.fixture
def aws(no_aws: None, emulated_aws: None) -> None:
    """Lead every client to the emulator, which holds nothing yet."""


@pytest.fixture
def s3(aws: None) -> Any:
    return aws_client("s3")


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
    def make(
        steps: str = json.dumps(STEPS), notebook: str = json.dumps([NOTEBOOK_STEP])
    ) -> MadeCluster:
        client = aws_client("emr")
        cluster = client.run_job_flow(
            Name="fruits",
            ReleaseLabel="emr-7.0.0",
            JobFlowRole="role",
            ServiceRole="role",
            Instances={"KeepJobFlowAliveWhenNoSteps": True},
        )
        parameters = {
            name: {
                "Type": "AWS::SSM::Parameter",
                "Properties": {"Type": "String", "Name": f"/fruits/test/{place}", "Value": value},
            }
            for name, place, value in (
                ("Steps", "steps", steps),
                ("NotebookStep", "notebook-step", notebook),
            )
        }
        make_stack(
            "fruits-test-compute",
            parameters,
            {
                "ClusterId": cluster["JobFlowId"],
                "StepsParameterName": {"Ref": "Steps"},
                "ErasureStepParameterName": {"Ref": "Steps"},
                "NotebookStepParameterName": {"Ref": "NotebookStep"},
                "NotebooksUri": f"s3://{RESULTS}/notebooks",
                "LogUri": f"s3://{LOGS}/emr/",
            },
        )
        return MadeCluster(cluster["JobFlowId"], client)

    return make


@dataclass(frozen=True)
class MadeApplication:
    application_id: str
    machine_arn: str
    client: Any


@pytest.fixture
def make_serverless_stack(aws: None) -> Callable[..., MadeApplication]:
    def make(
        environment: str = "test", job: str | None = None, n_vcpus: int = 16
    ) -> MadeApplication:
        client = aws_client("emr-serverless")
        application_id = client.create_application(
            name="fruits",
            releaseLabel="emr-7.0.0",
            type="SPARK",
            clientToken=f"token-{environment}",
            maximumCapacity={"cpu": f"{n_vcpus} vCPU", "memory": f"{4 * n_vcpus} GB"},
        )["applicationId"]
        name = f"fruits-{environment}-serverless"
        begin = {"Type": "Wait", "Seconds": 1, "End": True}
        machine = {
            "StateMachineName": name,
            "DefinitionString": json.dumps({"StartAt": "Begin", "States": {"Begin": begin}}),
            "RoleArn": "arn:aws:iam::123456789012:role/run",
        }
        request = {
            "applicationId": application_id,
            "executionRoleArn": "arn:aws:iam::123456789012:role/job",
            "name": "erase",
            "jobDriver": {"sparkSubmit": {"entryPoint": "s3://code/erase.py"}},
        }
        parameter = {
            "Type": "String",
            "Name": f"/fruits/{environment}/erasure-job",
            "Value": json.dumps(request) if job is None else job,
        }
        make_stack(
            name,
            {
                "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine},
                "Job": {"Type": "AWS::SSM::Parameter", "Properties": parameter},
            },
            {
                "ApplicationId": application_id,
                "StateMachineArn": {"Ref": "Machine"},
                "ErasureJobParameterName": {"Ref": "Job"},
                "LogUri": f"s3://{LOGS}/emr/",
            },
        )
        (found,) = [
            each["stateMachineArn"]
            for each in aws_client("stepfunctions").list_state_machines()["stateMachines"]
            if each["name"] == name
        ]
        return MadeApplication(application_id, found, client)

    return make
