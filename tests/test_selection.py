"""What `pytest --fast` leaves out, and what it refuses to what is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
CONFTEST = "from tests.conftest import pytest_addoption, pytest_configure, starts_processes\n"
TESTS = """
import os, socket, subprocess
import pytest

@pytest.fixture
def server(starts_processes):
    subprocess.run(["true"], check=True)

def test_pure():
    assert True

def test_on_a_server(server):
    assert True

@pytest.mark.slow
def test_marked():
    subprocess.run(["true"], check=True)

def test_run():
    subprocess.run(["true"])

def test_fork():
    if os.fork() == 0:
        os._exit(0)

def test_another_machine():
    socket.socket().connect(("192.0.2.1", 80))

def test_the_cdk():
    import aws_cdk
"""


def outcomes(folder: Path, *options: str) -> tuple[str, str]:
    """Return what pytest says of the tests above, and its last line."""
    (folder / "conftest.py").write_text(CONFTEST)
    (folder / "test_all_kinds.py").write_text(TESTS)
    (folder / "test_stacks.py").write_text("import aws_cdk\n\ndef test_a_stack():\n    pass\n")
    root = Path(__file__).resolve().parents[1]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options, str(folder)],
        env={**os.environ, "PYTHONPATH": str(root), "PATH": path},
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    return done.stdout, done.stdout.strip().splitlines()[-1]


def test_fast_tests_are_refused_processes_and_other_machines(tmp_path):
    told, last = outcomes(tmp_path, "--fast")
    assert "4 failed, 1 passed, 2 deselected" in last, told
    for refused in (
        "starts a process (subprocess.Popen true)",
        "starts a process (os.fork)",
        "connects to ('192.0.2.1', 80)",
        "imports aws_cdk, which starts Node",
    ):
        assert refused in told
    assert "test_stacks" not in told


def test_all_tests_run_without_the_option_and_the_fast_are_refused_the_same(tmp_path):
    told, last = outcomes(tmp_path)
    assert "3 failed, 5 passed" in last, told
    assert "mark the test slow" in told
