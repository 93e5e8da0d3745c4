"""An emulated AWS: moto's server in its own process, on loopback."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest

from cdk_app.config import REGION


@contextmanager
def moto_server(log: Path, *, module: str = "moto.server") -> Iterator[str]:
    """Run a server that logs to a file, and yield its address."""
    # The server logs every request, and would stop at a pipe that nobody reads.
    with open(log, "wb") as file:
        server = subprocess.Popen(
            [sys.executable, "-m", module, "-H", "127.0.0.1", "-p", "0"],
            stderr=file,
            stdout=subprocess.DEVNULL,
        )
    try:
        yield _address(server, log)
    finally:
        server.terminate()
        server.wait(30)


def _address(server: "subprocess.Popen[bytes]", log: Path) -> str:
    until = time.monotonic() + 300
    while time.monotonic() < until and server.poll() is None:
        if found := re.search(r"http://127\.0\.0\.1:\d+", log.read_text()):
            return found[0]
        time.sleep(0.05)
    pytest.fail(f"moto's server did not start: {log.read_text()}")


def lead_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lead every client to an address, past whatever this machine knows of AWS."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    # Another region than that of the stacks: what finds them has chosen its region itself.
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)


def empty(endpoint: str) -> None:
    """Let a server forget all that it holds."""
    reset = urllib.request.Request(f"{endpoint}/moto-api/reset", method="POST")
    urllib.request.urlopen(reset).close()


def make_stack(
    name: str,
    resources: dict[str, Any],
    outputs: dict[str, Any],
    *,
    region: str = REGION,
    **parameters: str,
) -> None:
    template = {
        "Parameters": {key: {"Type": "String"} for key in parameters},
        "Resources": resources,
        "Outputs": {key: {"Value": value} for key, value in outputs.items()},
    }
    client = boto3.client("cloudformation", region_name=region)
    client.create_stack(
        StackName=name,
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
    )
