"""Runs the CDK's command line: ``python -m operations.cdk deploy FruitsData``.

What it prints stays as it is; a failure gets one sentence more, with what to do.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from operations.cdk.failures import sentence_for

CDK = Path(__file__).resolve().parents[2] / "node_modules" / ".bin" / "cdk"
_INTERRUPTED = 130
_CHUNK_BYTES = 64 * 1024


def main(arguments: Sequence[str], *, cdk: Path = CDK) -> int:
    """Run ``cdk`` with these arguments; return its exit code, and 130 when interrupted."""
    if not cdk.exists():
        print("fruits: the CDK is not installed; install it with: make tools", file=sys.stderr)
        return 1
    code, output = _run([str(cdk), *arguments])
    if code == _INTERRUPTED:
        print(
            "fruits: interrupted; what CloudFormation has begun goes on in AWS, "
            "and the same command goes on from there",
            file=sys.stderr,
        )
    elif code and (sentence := sentence_for(output)):
        print(f"fruits: {sentence}", file=sys.stderr)
    return code


def _run(command: Sequence[str]) -> tuple[int, str]:
    """Run a command; return its exit code and what it said on standard error.

    The CDK says everything there but templates and outputs, whose way is not changed.
    """
    sys.stdout.flush()
    with (
        _interrupts() as interrupts,
        subprocess.Popen(command, stderr=subprocess.PIPE, env=_environment()) as process,
    ):
        output = _passed_on(process)
        code = process.wait()
    if code and interrupts:
        return _INTERRUPTED, output
    # A process that a signal has ended has the number of the signal, negative.
    return (code if code >= 0 else 128 - code), output


@contextmanager
def _interrupts() -> Iterator[list[int]]:
    """Note interrupts, which reach the CDK too, and leave it to the CDK to end."""
    noted: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: noted.append(number))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


def _passed_on(process: subprocess.Popen[bytes]) -> str:
    assert process.stderr is not None
    read = bytearray()
    # As it comes: a line may be a progress bar that is never ended.
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
    # It is pinned: a notice of a newer version would be noise.
    environment.setdefault("CDK_DISABLE_VERSION_CHECK", "1")
    if sys.stderr.isatty() and "NO_COLOR" not in environment:
        # It sees a pipe in place of the terminal, and would leave the colours out.
        environment.setdefault("FORCE_COLOR", "1")
    return environment


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
