"""The rehearsal's cloud: an emulated AWS, the real CDK command line, and a node of one process.

What stands in for AWS is moto. It has no EMR that runs anything, so the node is made here from the
synthesized template: its bootstrap action, its Spark settings, its steps, under its own role.
"""

import gzip
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
import pyspark

from tests.conftest import skip_or_fail
from tests.end_to_end.synthesized import ACCOUNT, REGION, only, resolved_resources

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
CLUSTER_ID = "j-REHEARSAL"
# The processor of this machine decides which wheels can be installed on it.
IS_ARM = platform.machine() in ("aarch64", "arm64")
_INSTANCE_TYPE = "m7g.xlarge" if IS_ARM else "m6i.xlarge"


@dataclass(frozen=True)
class Finished:
    """What a process said, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str


class EmulatedCloud:
    """An account with nothing in it; every client and command of it goes to the emulator."""

    def __init__(self, endpoint: str, folder: Path, model: Path) -> None:
        # moto tells a template's bucket from other hosts by the word localhost.
        self.endpoint = endpoint.replace("127.0.0.1", "localhost")
        self.folder = folder
        self._model = model
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AWS_")},
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
        values = environment or self.environment
        return boto3.session.Session(
            aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=values.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
        ).client(service, endpoint_url=self.endpoint)

    def cdk(self, *arguments: str) -> str:
        """Run the CDK command line and return what it said."""
        if not (ROOT / "node_modules" / ".bin" / "cdk").exists():
            skip_or_fail("the CDK command line is not installed; make test installs it")
        command = [
            "cdk", *arguments, "--output", str(self.folder / "cdk.out"),
            "-c", f"worker_instance_type={_INSTANCE_TYPE}",
            "-c", f"primary_instance_type={_INSTANCE_TYPE}", "-c", f"model_path={self._model}",
        ]  # fmt: skip
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def fruits(self, *arguments: str) -> Finished:
        """Run a command of the project as its operator would."""
        done = subprocess.run(
            [str(BIN / "fruits"), *arguments], env=self.environment, capture_output=True, text=True,
            check=False, timeout=300,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)

    def data_outputs(self) -> dict[str, str]:
        stacks = self.client("cloudformation").describe_stacks(StackName="fruits-test-data")
        return {o["OutputKey"]: o["OutputValue"] for o in stacks["Stacks"][0]["Outputs"]}

    def compute_resources(self) -> dict[str, dict[str, Any]]:
        """Return the resources of the compute stack as synthesized, with references resolved."""
        exports = self.client("cloudformation").list_exports()["Exports"]
        return resolved_resources(
            self.folder / "cdk.out" / "FruitsCompute.template.json",
            {export["Name"]: export["Value"] for export in exports},
        )

    def check_permissions(self, checked: bool) -> None:
        """Let the emulator hold every request against the policies of its caller, or not."""
        urllib.request.urlopen(
            urllib.request.Request(
                f"{self.endpoint}/moto-api/reset-auth",
                data=b"0" if checked else b"inf",
                headers={"Content-Type": "text/plain"},
                method="POST",
            )
        ).close()

    def objects(self, bucket: str) -> dict[str, int]:
        """Return the size of every object of a bucket, by key."""
        pages = self.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
        return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}


class Node:
    """A node of the cluster: its packages in a scratch folder, its role, and its Spark."""

    def __init__(self, cloud: EmulatedCloud, jars: Path) -> None:
        self._cloud = cloud
        self._jars = jars
        self._resources = cloud.compute_resources()
        self._cluster = only(self._resources, "AWS::EMR::Cluster")
        self.prefix = cloud.folder / "fruits"
        self.environment = {**cloud.environment, **self._credentials_of_the_instance_role()}

    def bootstrap(self) -> Finished:
        """Fetch the bootstrap action and run it, under the role of the node."""
        (action,) = self._cluster["BootstrapActions"]
        script = action["ScriptBootstrapAction"]
        file = self._cloud.folder / "bootstrap.sh"
        fetched = self._run(["aws", "s3", "cp", "--only-show-errors", script["Path"], str(file)])
        if fetched.exit_code != 0:
            return fetched
        return self._run(["bash", str(file), *script["Args"]], FRUITS_PREFIX=str(self.prefix))

    def run_step(self, name: str) -> Finished:
        """Run a step as EMR would: its own line, and its log brought to the log bucket."""
        step = next(
            resource["Properties"]
            for resource in self._resources.values()
            if resource["Type"] == "AWS::EMR::Step" and resource["Properties"]["Name"] == name
        )
        command, *arguments = step["HadoopJarStep"]["Args"]
        spark = Path(pyspark.__file__).parent
        done = self._run(
            [str(spark / "bin" / command), "--properties-file", str(self._settings()), *arguments],
            SPARK_HOME=str(spark),
            SPARK_LOCAL_IP="127.0.0.1",
        )
        log_uri = self._cluster["LogUri"].removeprefix("s3://")
        bucket, _, prefix = log_uri.partition("/")
        s3 = self._cloud.client("s3", self.environment)
        for log, text in (("stdout", done.stdout), ("stderr", done.stderr)):
            key = f"{prefix}{CLUSTER_ID}/steps/s-{name}/{log}.gz"
            s3.put_object(Bucket=bucket, Key=key, Body=gzip.compress(text.encode()))
        return done

    def denied(self, operation: str, **arguments: Any) -> bool:
        """Tell whether S3 refuses an operation to the role of the node."""
        client = self._cloud.client("s3", self.environment)
        try:
            getattr(client, operation)(**arguments)
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("AccessDenied", "403"):
                return True
            raise
        return False

    def _run(self, command: list[str], **environment: str) -> Finished:
        done = subprocess.run(
            command, cwd=self._cloud.folder, env={**self.environment, **environment},
            capture_output=True, text=True, check=False, timeout=400,
        )  # fmt: skip
        return Finished(done.returncode, done.stdout, done.stderr)

    def _settings(self) -> Path:
        """Write Spark's settings: those of the cluster, and where the emulator is."""
        (defaults,) = [
            configuration["ConfigurationProperties"]
            for configuration in self._cluster["Configurations"]
            if configuration["Classification"] == "spark-defaults"
        ]
        settings = {
            **{k: v.replace("/opt/fruits", str(self.prefix)) for k, v in defaults.items()},
            "spark.master": "local[2]",
            "spark.default.parallelism": "2",
            "spark.driver.memory": "2g",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.ui.enabled": "false",
            "spark.driver.extraClassPath": f"{self._jars}/*",
            "spark.hadoop.fs.s3.impl": "org.apache.hadoop.fs.s3a.S3AFileSystem",
            "spark.hadoop.fs.s3a.endpoint": self._cloud.endpoint,
            "spark.hadoop.fs.s3a.path.style.access": "true",
        }
        file = self._cloud.folder / "spark-defaults.conf"
        file.write_text("".join(f"{key} {value}\n" for key, value in settings.items()))
        return file

    def _credentials_of_the_instance_role(self) -> dict[str, str]:
        """Make the role of the node with its policy as synthesized, and take it on."""
        (policy,) = [
            resource["Properties"]["PolicyDocument"]
            for name, resource in self._resources.items()
            if resource["Type"] == "AWS::IAM::Policy" and name.startswith("InstanceRole")
        ]
        (results,) = [s["Resource"] for s in policy["Statement"] if s["Sid"] == "ListResults"]
        # moto holds a request that deletes many objects against the bucket and not each object.
        policy["Statement"].append(
            {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": results}
        )
        trusting = {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                    "Action": "sts:AssumeRole",
                }
            ],
        }
        iam = self._cloud.client("iam")
        iam.create_role(RoleName="node", AssumeRolePolicyDocument=json.dumps(trusting))
        iam.put_role_policy(
            RoleName="node", PolicyName="synthesized", PolicyDocument=json.dumps(policy)
        )
        taken = self._cloud.client("sts").assume_role(
            RoleArn=f"arn:aws:iam::{ACCOUNT}:role/node", RoleSessionName="rehearsal"
        )["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": taken["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": taken["SecretAccessKey"],
            "AWS_SESSION_TOKEN": taken["SessionToken"],
        }
