"""The command fruits serve: its options, its address, and its warnings."""

import argparse
import socket
from types import SimpleNamespace

import pytest

from operations import cli
from recognition.classifier.identifier import FruitIdentifier
from recognition.commands import serve
from recognition.service.limits import MIB
from recognition.service.server import (
    bound_socket,
    is_loopback,
    network_names,
    report_failure,
    url_of,
)
from spark_assets.errors import FruitsError
from tests.recognition.made_service import ColourIdentifier


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, colours: ColourIdentifier) -> list[SimpleNamespace]:
    """Return the arguments of each call of `serve`."""
    found: list[SimpleNamespace] = []

    def record(identifier, limits, **options):
        found.append(SimpleNamespace(identifier=identifier, limits=limits, **options))

    monkeypatch.setattr(serve, "serve", record)
    monkeypatch.setattr(FruitIdentifier, "from_output", lambda output: colours)
    return found


def test_the_service_listens_on_localhost_by_default(served, capsys):
    assert cli.main(["serve", "--output", "out"]) == 0
    assert (served[0].host, served[0].port, served[0].verbose) == ("127.0.0.1", 8000, False)
    assert served[0].limits.max_bytes == 20 * MIB
    assert served[0].limits.max_megapixels == 50
    assert capsys.readouterr() == ("", "")


def test_limits_are_options(served):
    cli.main(["serve", "--output", "out", "--max-image-mib", "0.5", "--max-image-megapixels", "12"])
    limits = served[0].limits
    assert (limits.max_bytes, limits.max_megapixels) == (MIB // 2, 12)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.7", "::", "fruits.example"])
def test_a_network_address_gives_a_warning(served, capsys, host):
    assert cli.main(["serve", "--output", "out", "--host", host]) == 0
    warning = capsys.readouterr().err
    assert warning.startswith("WARNING: the page has no login and no TLS: ")
    assert f"connect to {host} " in warning


def test_random_weights_give_a_warning(served, capsys, colours, monkeypatch):
    warned = colours.renamed(str)
    warned.record = argparse.Namespace(warning="the weights are random numbers")
    monkeypatch.setattr(FruitIdentifier, "from_output", lambda output: warned)
    cli.main(["serve", "--output", "out"])
    assert capsys.readouterr().err == "WARNING: the weights are random numbers\n"


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["--output", "out", "--port", "65536"],
        ["--output", "out", "--port", "-1"],
        ["--output", "out", "--port", "http"],
        ["--output", "out", "--max-image-mib", "0"],
        ["--output", "out", "--max-image-megapixels", "many"],
    ],
)
def test_bad_usage(served, options, capsys):
    with pytest.raises(SystemExit) as ended:
        cli.main(["serve", *options])
    assert ended.value.code == 2
    assert served == []


def test_an_output_without_a_classifier_is_an_error(tmp_path, capsys):
    assert cli.main(["serve", "--output", str(tmp_path)]) == 1
    message = capsys.readouterr().err
    assert "fruits evaluate" in message
    assert "Traceback" not in message


def test_a_port_in_use_is_an_error():
    with bound_socket("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(FruitsError, match=f"on port {port} of 127.0.0.1: .*--port 0"):
            bound_socket("127.0.0.1", port)


def test_a_host_of_another_machine_is_an_error():
    with pytest.raises(FruitsError, match=r"cannot listen on port 0 of 203\.0\.113\.9"):
        bound_socket("203.0.113.9", 0)


def test_the_url_is_that_of_this_machine():
    with bound_socket("127.0.0.1", 0) as listening:
        port = listening.getsockname()[1]
        assert url_of(listening, "127.0.0.1") == f"http://127.0.0.1:{port}/"
        assert url_of(listening, "0.0.0.0") == f"http://localhost:{port}/"
        assert url_of(listening, "::1") == f"http://[::1]:{port}/"


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_an_ipv6_address_can_be_bound():
    try:
        listening = bound_socket("::1", 0)
    except FruitsError:
        pytest.skip("this machine has no ::1")
    with listening:
        assert listening.family == socket.AF_INET6


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),
        ("::", False),
        ("localhost.evil.example", False),
        ("192.168.1.7", False),
    ],
)
def test_loopback(host, expected):
    assert is_loopback(host) is expected
    assert (network_names(host) == ()) is expected


def test_an_error_is_reported_by_its_class_alone(capsys):
    try:
        raise ValueError("apple/secret.jpg")
    except ValueError as error:
        report_failure(error, verbose=False)
        assert capsys.readouterr().err == "a request failed: ValueError\n"
        report_failure(error, verbose=True)
        assert "Traceback" in capsys.readouterr().err
