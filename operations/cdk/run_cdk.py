"""The CDK's command line as a child process: its output passes, and a failure gets a sentence."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from operations.cdk.cdk_errors import sentence_for
from spark_assets.errors import ExitCode, FruitsError

ROOT = Path(__file__).resolve().parents[2]
CDK = ROOT / "node_modules" / ".bin" / "cdk"
_CHUNK_BYTES = 64 * 1024


def check_cdk(cdk: Path = CDK) -> None:
    """Raise FruitsError where the CDK is not installed."""
    if not cdk.exists():
        raise FruitsError("the CDK is not installed; install it with: make tools")


def run_cdk(*arguments: str, cdk: Path = CDK) -> ExitCode:
    """Run ``cdk``; return FAILED where it failed and its output has an error sentence.

    Raises FruitsError with what to do otherwise, and KeyboardInterrupt for Ctrl-C once the CDK,
    which gets it too, has ended.
    """
    check_cdk(cdk)
    code, output, is_interrupted = _run([str(cdk), *arguments])
    if code == 0:
        return ExitCode.DONE
    if is_interrupted:
        raise KeyboardInterrupt
    if sentence := sentence_for(output):
        raise FruitsError(sentence)
    return ExitCode.FAILED


def _run(command: Sequence[str]) -> tuple[int, str, bool]:
    """Run a command; return its exit code, its standard error, and whether it was interrupted.

    The CDK prints everything there but templates and outputs, which are not captured.
    """
    sys.stdout.flush()
    with (
        _interrupts() as interrupts,
        subprocess.Popen(command, stderr=subprocess.PIPE, env=_environment(), cwd=ROOT) as process,
    ):
        output = _passed_on(process)
        code = process.wait()
    return code, output, bool(interrupts)


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Collect interrupts, and leave it to the CDK to end."""
    signals: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: signals.append(number))
    try:
        yield signals
    finally:
        signal.signal(signal.SIGINT, before)


def _passed_on(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    read = bytearray()
    # As it comes: a progress bar never ends its line.
    while chunk := os.read(process.stderr.fileno(), _CHUNK_BYTES):
        sys.stderr.buffer.write(chunk)
        sys.stderr.buffer.flush()
        read += chunk
    return read.decode("utf-8", errors="replace")


def _environment() -> dict[str, str]:
    """Return the environment of the CDK, with the Node of the virtual environment first."""
    environment = dict(os.environ)
    environment["PATH"] = os.pathsep.join(
        [str(Path(sys.executable).parent), environment.get("PATH", os.defpath)]
    )
    # `fruits` keeps all its processes from importing from the working folder, where app.py is.
    environment.pop("PYTHONSAFEPATH", None)
    # It is pinned: a notice of a newer version would be noise.
    environment.setdefault("CDK_DISABLE_VERSION_CHECK", "1")
    if sys.stderr.isatty() and "NO_COLOR" not in environment:
        # It sees a pipe in place of the terminal, and would leave the colours out.
        environment.setdefault("FORCE_COLOR", "1")
    return environment
