"""The bootstrap action as a node runs it: bash, aws against a server that speaks S3, and pip.

The node is a folder of commands and nothing else on PATH; whatever would leave the machine goes
through a proxy that counts and refuses.
"""

import dataclasses
import hashlib
import os
import shutil
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from operations.wheelhouse import pack
from tests.moto_server import moto_server
from tests.node.wheels import make_wheel, pin

REGION = "eu-central-1"
DIGEST = "0" * 64
SCRIPT = Path(__file__).resolve().parents[2] / "spark_assets" / "node" / "bootstrap.sh"
BIN = Path(sys.executable).parent
BUCKET = "artifacts"
COMMANDS = ["bash", "dirname", "gzip", "mktemp", "rm", "sha256sum", "tar", "tee", "uname"]


@pytest.fixture(scope="module")
def endpoint(starts_processes, tmp_path_factory) -> Iterator[str]:
    with moto_server(tmp_path_factory.mktemp("moto") / "log") as url:
        yield url


@pytest.fixture(scope="module")
def s3(endpoint):
    client = boto3.client(
        "s3",
        region_name="eu-central-1",
        endpoint_url=endpoint,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    place = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    return client


@dataclasses.dataclass
class Proxy:
    """What stands between the node and the Internet, and the requests that reached it."""

    url: str
    requests: list[bytes]


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    requests: list[bytes] = []

    class Refusing(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            requests.append(self.rfile.readline())

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield Proxy(f"http://127.0.0.1:{server.server_address[1]}", requests)
        server.shutdown()
        thread.join()


@dataclasses.dataclass
class Node:
    """A machine to set up: its commands, its folder for temporary files, and where it installs."""

    commands: Path
    temporary: Path
    prefix: Path
    environment: dict[str, str]

    def bootstrap(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.commands / "bash"), str(SCRIPT), *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
            umask=0o077,  # the strictest that a machine may have
        )

    def refuses(self, *arguments: str) -> str:
        """Run what must fail and leave nothing behind; return the sentence."""
        done = self.bootstrap(*arguments, REGION)
        assert done.returncode == 1, done.stderr
        assert not self.prefix.exists()
        assert not os.listdir(self.temporary)
        sentences = [line for line in done.stderr.splitlines() if line.startswith("bootstrap: ")]
        assert len(sentences) == 1, done.stderr
        return sentences[0]

    def evaluate(self, expression: str) -> str:
        program = f"import fruit_basket, fruit_stone; print({expression})"
        command = [str(self.prefix / "bin" / "python"), "-I", "-c", program]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    def command(self, name: str, body: str) -> None:
        file = self.commands / name
        file.unlink(missing_ok=True)
        file.write_text(f"#!{shutil.which('bash')}\n{body}\n")
        file.chmod(0o755)


@pytest.fixture
def node(tmp_path, endpoint, proxy) -> Node:
    commands, temporary = tmp_path / "bin", tmp_path / "temporary"
    commands.mkdir()
    temporary.mkdir()
    for name in COMMANDS:
        (commands / name).symlink_to(shutil.which(name))
    (commands / "aws").symlink_to(BIN / "aws")
    prefix = tmp_path / "fruits"
    environment = {
        "PATH": str(commands),
        "HOME": str(tmp_path),
        "TMPDIR": str(temporary),
        "FRUITS_PREFIX": str(prefix),
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "http_proxy": proxy.url,
        "https_proxy": proxy.url,
        "no_proxy": "127.0.0.1",
        # A setting of the machine, which must not matter.
        "PIP_INDEX_URL": f"{proxy.url}/simple",
    }
    node = Node(commands, temporary, prefix, environment)
    node.command("python3.11", f'exec "{sys.executable}" "$@"')
    return node


@dataclasses.dataclass
class Wheelhouse:
    """A wheelhouse in S3, as a test wants it."""

    uri: str
    sha256: str


@pytest.fixture
def upload(s3, tmp_path):
    """Return what packs and uploads a wheelhouse of one package that needs another."""

    def _upload(*, version="1.0", source="", left_out="", tampered=False) -> Wheelhouse:
        folder = tmp_path / f"wheelhouse-{version}"
        wheels = folder / "wheels"
        stone = make_wheel(wheels, "fruit_stone", version=version)
        basket = make_wheel(
            wheels, "fruit_basket", version=version, source=source, requires="fruit_stone"
        )
        requirements, names = folder / "requirements.txt", folder / "modules.txt"
        requirements.write_text(pin(stone) + pin(basket))
        names.write_text("fruit_basket\n")
        if left_out:
            next(wheels.glob(f"{left_out}-*")).unlink()
        if tampered:
            make_wheel(wheels, "fruit_stone", version=version, source="import os")
        target = folder / "wheelhouse.tar.gz"
        pack(wheels, requirements, names, target)
        content = target.read_bytes()
        key = f"{version}/wheelhouse.tar.gz"
        s3.put_object(Bucket=BUCKET, Key=key, Body=content)
        return Wheelhouse(f"s3://{BUCKET}/{key}", hashlib.sha256(content).hexdigest())

    return _upload


@pytest.mark.slow
def test_shellcheck_has_nothing_to_say():
    done = subprocess.run([BIN / "shellcheck", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_node_installs_the_wheelhouse_and_asks_no_index(node, upload, proxy):
    house = upload()
    done = node.bootstrap(house.uri, house.sha256, REGION)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "bootstrap: python3.11 comes from the image\n"
        f"bootstrap: installed {house.uri} in {node.prefix}\n"
    )
    assert node.evaluate("fruit_basket.VERSION, fruit_stone.VERSION") == "1.0 1.0"
    assert (node.prefix / "wheelhouse.sha256").read_text() == f"{house.sha256}\n"
    assert not proxy.requests
    assert not os.listdir(node.temporary)


def test_every_user_of_a_node_may_use_what_is_installed(node, upload):
    house = upload()
    assert node.bootstrap(house.uri, house.sha256, REGION).returncode == 0
    assert node.prefix.stat().st_mode & 0o777 == 0o755
    module = next(node.prefix.glob("lib/*/site-packages/fruit_basket.py"))
    assert module.stat().st_mode & 0o777 == 0o644


def test_a_second_run_changes_nothing_and_another_wheelhouse_replaces_the_first(node, upload):
    house = upload()
    assert node.bootstrap(house.uri, house.sha256, REGION).returncode == 0
    (node.prefix / "of the first run").touch()
    again = node.bootstrap(house.uri, house.sha256, REGION)
    assert (again.returncode, again.stderr) == (0, "")
    assert again.stdout == f"bootstrap: {node.prefix} holds {house.uri} already\n"
    assert (node.prefix / "of the first run").exists()
    newer = upload(version="2.0")
    assert node.bootstrap(newer.uri, newer.sha256, REGION).returncode == 0
    assert node.evaluate("fruit_basket.VERSION") == "2.0"
    assert not (node.prefix / "of the first run").exists()


def test_another_file_than_the_one_that_was_made_is_refused(node, upload):
    house, other = upload(), hashlib.sha256(b"other").hexdigest()
    assert node.refuses(house.uri, other) == (
        f"bootstrap: the sha256 of {house.uri} is {house.sha256} and not {other}; "
        "upload the file that fruits build-artifacts made, and give its digest"
    )


@pytest.mark.parametrize("uri", [f"s3://{BUCKET}/nothing.tar.gz", "s3://nowhere/wheelhouse.tar.gz"])
def test_a_file_that_is_not_there_is_named(node, s3, uri):
    sentence = node.refuses(uri, "0" * 64)
    assert sentence.startswith(f"bootstrap: {uri} cannot be downloaded; check that it is there")


def test_the_wheels_are_asked_for_in_the_region_that_is_given(node):
    """Elsewhere the gateway endpoint of a network without a way out does not lead."""
    node.command("aws", f'echo "$@" >{node.commands}/asked; exit 1')
    node.refuses("s3://artifacts/wheelhouse.tar.gz", DIGEST)
    asked = (node.commands / "asked").read_text()
    assert asked.startswith(
        f"s3 cp --region {REGION} --only-show-errors s3://artifacts/wheelhouse.tar.gz "
    )


def test_what_is_no_archive_is_refused(node, s3):
    s3.put_object(Bucket=BUCKET, Key="text", Body=b"text")
    uri, digest = f"s3://{BUCKET}/text", hashlib.sha256(b"text").hexdigest()
    assert node.refuses(uri, digest).startswith(f"bootstrap: {uri} cannot be unpacked")


def test_a_wheel_that_is_not_the_pinned_one_is_not_installed(node, upload):
    house = upload(tampered=True)
    assert node.refuses(house.uri, house.sha256).startswith(
        f"bootstrap: pip could not install {house.uri} in {node.prefix}"
    )


def test_a_wheel_that_is_missing_is_fetched_from_nowhere(node, upload, proxy):
    house = upload(left_out="fruit_stone")
    assert node.refuses(house.uri, house.sha256).startswith("bootstrap: pip could not install")
    assert not proxy.requests


def test_a_node_whose_modules_do_not_import_is_not_ready(node, upload):
    house = upload(source="import fruit_salad\n")
    assert node.refuses(house.uri, house.sha256).startswith(
        f"bootstrap: a module of {house.uri} cannot be imported in {node.prefix}"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("s3://artifacts/wheelhouse.tar.gz",),
        ("s3://artifacts/wheelhouse.tar.gz", DIGEST),
        ("s3://artifacts/wheelhouse.tar.gz", "abc", REGION),
        ("s3://artifacts/wheelhouse.tar.gz", DIGEST, ""),
        (DIGEST, "s3://artifacts/wheelhouse.tar.gz", REGION),
        ("wheelhouse.tar.gz", DIGEST, REGION),
        ("s3://artifacts/wheelhouse.tar.gz", DIGEST, REGION, "more"),
    ],
)
def test_a_missing_argument_gets_the_usage(node, arguments):
    done = node.bootstrap(*arguments)
    assert done.returncode == 2
    assert done.stderr == f"usage: bootstrap.sh S3_URI SHA256 REGION, got: {' '.join(arguments)}\n"
    assert not node.prefix.exists()


def test_a_folder_of_somebody_else_is_left_as_it_is(node, upload):
    house = upload()
    node.prefix.mkdir()
    (node.prefix / "thesis.txt").touch()
    done = node.bootstrap(house.uri, house.sha256, REGION)
    assert done.returncode == 1
    assert "is no virtual environment, so it is left as it is; set another" in done.stderr
    assert os.listdir(node.prefix) == ["thesis.txt"]


def test_a_prefix_in_a_folder_that_is_not_there_is_refused(node):
    node.environment["FRUITS_PREFIX"] = f"{node.prefix}/bin/fruits"
    sentence = node.refuses("s3://artifacts/wheelhouse.tar.gz", DIGEST)
    assert f"because {node.prefix}/bin does not exist; make it" in sentence


def test_python_comes_from_the_repository_of_the_system_where_it_is_missing(node):
    python = (node.commands / "python3.11").rename(node.commands / "python3.11.rpm")
    node.command("sudo", 'shift; exec "$@"')
    node.command(
        "dnf",
        f'[[ "$*" == "-y -q install python3.11" ]] && {shutil.which("cp")} {python} '
        f"{node.commands}/python3.11",
    )
    # The step after next is reached, so there is a Python.
    done = node.bootstrap(f"s3://{BUCKET}/nothing.tar.gz", DIGEST, REGION)
    assert "cannot be downloaded" in done.stderr
    assert done.stdout == "bootstrap: python3.11 comes from dnf\n"


def test_a_node_that_cannot_have_python_says_so(node):
    (node.commands / "python3.11").unlink()
    node.command("sudo", 'shift; exec "$@"')
    node.command("dnf", "exit 1")
    sentence = node.refuses(f"s3://{BUCKET}/nothing.tar.gz", DIGEST)
    assert sentence.startswith("bootstrap: python3.11 is missing and dnf could not install it")
