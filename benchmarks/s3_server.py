"""A real S3 server on loopback, near or far: Versity's gateway over a folder, behind delays.

The gateway is a Go program (Apache 2.0) that the Go toolchain fetches and builds, pinned; where
that cannot be had, a figure that needs it is reported as not measured.
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.delay_proxy import HOST, running_delay_proxy
from benchmarks.figures import NotMeasuredError
from benchmarks.processes import last_words

GATEWAY = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
REGION = "eu-central-1"
_ACCESS_KEY = "benchmark"
_SECRET_KEY = "loopback-only"
_BUILD_TIMEOUT_S = 600
_START_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class S3Endpoint:
    """One way to the server; every folder below its root is a bucket."""

    url: str

    def environment(self) -> dict[str, str]:
        """Return the environment variables that lead any AWS client to this server."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@contextmanager
def s3_endpoints(
    root: Path, delays_ms: tuple[float, ...], *, bin_dir: Path
) -> Iterator[list[S3Endpoint]]:
    """Serve the folders under ``root`` as buckets; yield one endpoint for each delay.

    Every endpoint leads through a proxy, that of 0 ms too, so that they differ in the delay only.
    Raises NotMeasuredError where the server cannot be built.
    """
    program = _gateway_program(bin_dir)
    with ExitStack() as stack:
        port = stack.enter_context(_gateway(program, root))
        yield [
            S3Endpoint(f"http://{HOST}:{stack.enter_context(running_delay_proxy(port, delay_ms))}")
            for delay_ms in delays_ms
        ]


def _gateway_program(bin_dir: Path) -> Path:
    program = bin_dir / "versitygw"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise NotMeasuredError("Go is not installed (Debian: apt-get install golang)")
    bin_dir.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run(
            ["go", "install", GATEWAY],
            env={**os.environ, "GOBIN": str(bin_dir.resolve())},
            check=True,
            capture_output=True,
            text=True,
            timeout=_BUILD_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise NotMeasuredError(f"'go install {GATEWAY}' took longer than 10 minutes") from error
    except subprocess.CalledProcessError as error:
        words = last_words(error.stderr, n_lines=1)
        raise NotMeasuredError(f"'go install {GATEWAY}' failed: {words}") from error
    return program


@contextmanager
def _gateway(program: Path, root: Path) -> Iterator[int]:
    port = _free_port()
    # S3 keeps connections open between requests; without these words the gateway closes them.
    command = [str(program), "--port", f"{HOST}:{port}", "--region", REGION]
    process = subprocess.Popen(
        [*command, "--keep-alive", "--quiet", "posix", "--nometa", str(root)],
        env={**os.environ, "ROOT_ACCESS_KEY": _ACCESS_KEY, "ROOT_SECRET_KEY": _SECRET_KEY},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_open(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_open(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up_at = time.monotonic() + _START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < give_up_at:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise NotMeasuredError("the S3 server did not start")
