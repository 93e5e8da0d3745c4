"""The emulator as a server, and clients of it."""

from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest

from tests.emulated_aws.account import REGION
from tests.moto_server import moto_server

_OPERATOR = {"AccessKeyId": "test", "SecretAccessKey": "test"}


@pytest.fixture(scope="module")
def endpoint(starts_processes: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("moto") / "log"
    with moto_server(log, module="tests.emulated_aws.server") as url:
        yield url


@pytest.fixture(scope="module")
def client(endpoint: str) -> Any:
    def make(service: str, keys: Mapping[str, str] = _OPERATOR) -> Any:
        session = boto3.session.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken"), REGION
        )
        return session.client(service, endpoint_url=endpoint)

    return make
