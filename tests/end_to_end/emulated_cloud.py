"""The rehearsal's cloud: an emulated AWS, and an operator who types the commands of the project."""

import json
import os
import platform
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet

from tests.emulated_aws.account import REGION

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
# The processor of this machine decides which wheels can be installed on it.
_IS_ARM = platform.machine() in ("aarch64", "arm64")
ARCHITECTURE = "arm64" if _IS_ARM else "x86_64"
_INSTANCE_TYPE = "m7g.xlarge" if _IS_ARM else "m6i.xlarge"
# For a command that waits for the bootstrap action or for three steps, on a busy machine.
_TIMEOUT_S = 900


@dataclass(frozen=True)
class Version:
    """What S3 keeps under a key: a version with its content, or a delete marker with None."""

    key: str
    is_latest: bool
    content: bytes | None


@dataclass(frozen=True)
class Finished:
    """What a process said, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


class EmulatedCloud:
    """An account with nothing in it; every client and command of it goes to the emulator."""

    def __init__(self, endpoint: str, folder: Path, model: Path) -> None:
        # moto tells a template's bucket from other hosts by the word localhost.
        self.endpoint = endpoint.replace("127.0.0.1", "localhost")
        self.folder = folder
        context = {
            "worker_instance_type": _INSTANCE_TYPE,
            "primary_instance_type": _INSTANCE_TYPE,
            "model_path": model,
        }
        # An output of its own: the CDK locks its folder, and other tests may be at work.
        output = ["--output", str(folder / "cdk.out")]
        values = [word for key, value in context.items() for word in ("-c", f"{key}={value}")]
        self.cdk_options = ["--", *output, *values]
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "MAKE"))},
            "PATH": f"{BIN}:{ROOT / 'node_modules' / '.bin'}:{os.environ['PATH']}",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "rehearsal",
            "AWS_SECRET_ACCESS_KEY": "rehearsal",
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": "/nowhere",
            "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
        }

    def client(self, service: str, environment: dict[str, str] | None = None) -> Any:
        """Return a client with the credentials of the operator, or of another environment."""
        values = environment or self.environment
        return boto3.session.Session(
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=values.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        ).client(service, endpoint_url=self.endpoint)

    def make(self, *arguments: str) -> Finished:
        """Run make as an operator types it, with the settings of this machine."""
        return self._run(["make", *arguments, f"CDK_OPTIONS={' '.join(self.cdk_options[1:])}"])

    def cdk(self, *arguments: str) -> Finished:
        """Run the CDK's own command line."""
        return self._run(["cdk", *arguments, *self.cdk_options[1:]])

    def fruits(self, *arguments: str, environment: dict[str, str] | None = None) -> Finished:
        """Run a command of the project as its operator would, or with other credentials."""
        return self._run([str(BIN / "fruits"), *arguments], environment)

    def environment_of(self, role_arn: str, session: str) -> dict[str, str]:
        """Return the environment with the credentials of a role, taken on under a name."""
        answer = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName=session)
        taken = answer["Credentials"]
        return {
            **self.environment,
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }

    def denied(self, operation: str, environment: dict[str, str], **arguments: Any) -> bool:
        """Tell whether S3 refuses an operation to the credentials of an environment."""
        client = self.client("s3", environment)
        try:
            answer = getattr(client, operation)(**arguments)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("AccessDenied", "403"):
                return True
            raise
        # Where many objects are deleted, each is refused by itself.
        return any(each["Code"] == "AccessDenied" for each in answer.get("Errors", ()))

    def outputs(self, stack: str) -> dict[str, str]:
        """Return the outputs of a stack by name."""
        (found,) = self.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
        return {output["OutputKey"]: output["OutputValue"] for output in found["Outputs"]}

    def tell(self, service: str, **word: Any) -> None:
        """Tell the emulator what somebody has to say who works for a service: emr, serverless."""
        urllib.request.urlopen(
            urllib.request.Request(
                f"{self.endpoint}/moto-api/{service}",
                data=json.dumps(word).encode(),
                headers={"Content-Type": "application/json"},
                method="POST",
            )
        ).close()

    def objects(self, bucket: str) -> dict[str, int]:
        """Return the size of every object of a bucket, by key."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}

    def versions(self, bucket: str) -> list[Version]:
        """Return all that a bucket keeps: every version of every object, and delete markers."""
        s3 = self.client("s3")
        found = []
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for one in page.get("Versions", ()):
                content = s3.get_object(
                    Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"]
                )["Body"].read()  # fmt: skip
                found.append(Version(one["Key"], one["IsLatest"], content))
            for one in page.get("DeleteMarkers", ()):
                found.append(Version(one["Key"], one["IsLatest"], None))
        return found

    def n_unfinished_uploads(self, bucket: str) -> int:
        """Return how many uploads of a bucket have been begun and not completed."""
        return len(self.client("s3").list_multipart_uploads(Bucket=bucket).get("Uploads", ()))

    def table(self, bucket: str, folder: str) -> pa.Table:
        """Return the rows of all Parquet files below a folder of a bucket."""
        s3 = self.client("s3")
        files = [
            s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for key in self.objects(bucket)
            if key.startswith(f"{folder}/") and key.endswith(".parquet")
        ]
        return pa.concat_tables(pyarrow.parquet.read_table(pa.BufferReader(f)) for f in files)

    def _run(self, command: list[str], environment: dict[str, str] | None = None) -> Finished:
        done = subprocess.run(
            command, cwd=ROOT, env=environment or self.environment, capture_output=True, text=True,
            check=False, timeout=_TIMEOUT_S,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)
