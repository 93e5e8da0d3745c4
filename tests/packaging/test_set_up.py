"""What make installs: with uv, for each target what it needs, and nothing twice."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.node.wheels import make_wheel, pin

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
# Stands for Python: it makes a virtual environment of itself, and writes down how it was called.
PYTHON = """#!/bin/sh
words="${0##*/} $*"
case "$words" in
    *"import ensurepip"*) exit "$NO_VENV" ;;
    *" config get "* | python*" -c "*) exit 0 ;;
    *" -m venv "*)
        mkdir -p "$3/bin" "$3/share/fruits"
        for name in python uv fruits pytest ruff mypy lint-imports; do
            cp "$0" "$3/bin/$name"
        done ;;
    *" install "* | *class_archive*) ;;
    *) exit 0 ;;
esac
echo "$words" >>"$CALLS"
case "$words" in *class_archive*) touch "${0%/bin/*}/share/fruits/spark.jsa" ;; esac
"""


class Machine:
    """A machine without anything, on which make is typed.  ``calls`` are of what installs."""

    def __init__(self, folder: Path) -> None:
        self.venv, self._log, self._python = folder / ".venv", folder / "calls", folder / "python3"
        self._python.write_text(PYTHON)
        self._python.chmod(0o755)

    def make(self, *words: str, path: str = os.environ["PATH"], no_venv: int = 0):
        self._log.write_text("")
        return subprocess.run(
            ["make", "--no-print-directory", f"VENV={self.venv}", f"PYTHON={self._python}", *words],
            cwd=ROOT,
            env={
                "PATH": path,
                "HOME": str(self.venv.parent),
                "CALLS": str(self._log),
                "NO_VENV": str(no_venv),
                "JAVA_HOME": "/there",
            },
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """Return what was installed, less the options that all share."""
        log = self._log.read_text().replace(f"--python {self.venv}/bin/python ", "")
        pinned = "--require-hashes -c requirements.txt -b requirements.txt --compile-bytecode "
        return log.replace(pinned, "PINNED ").replace(str(self.venv), ".venv").splitlines()


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


FIRST = [
    "python3 -m venv .venv",
    "python -m pip --disable-pip-version-check install --quiet --require-hashes -r .venv/uv.txt",
    "uv pip install PINNED -r pyproject.toml",
    "uv pip install --quiet --no-deps -b requirements.txt -e .",
]
ARCHIVE = ["python -m operations.class_archive"]
SCHEMA = re.search(
    r"^aws-cdk-cloud-assembly-schema==(\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE
)
# A file that two packages of the CDK bring is to be that of the second.
CDK, DEV = (
    [
        f"uv pip install PINNED aws-cdk-cloud-assembly-schema=={SCHEMA[1]}",
        f"uv pip install PINNED --group pyproject.toml:{group}",
    ]
    for group in ("cdk", "dev")
)


def test_each_target_adds_what_it_needs_to_one_environment(machine):
    first = machine.make("run")
    assert first.returncode == 0, first.stderr
    assert machine.calls == FIRST + ARCHIVE
    # Said before the minute begins, and not after it.
    assert first.stdout.startswith(f"setting up {machine.venv} (a minute, once; a gigabyte")

    assert machine.make("run").returncode == 0
    assert machine.calls == []

    machine.make("check")
    assert machine.calls == DEV
    machine.make("test-fast")
    assert machine.calls == []
    machine.make(str(machine.venv / "installed-cdk"))  # of make tools, synth, deploy and destroy
    assert machine.calls == CDK

    machine.make("setup", "--what-if=requirements.txt")
    assert machine.calls == FIRST + ARCHIVE


def test_checks_alone_prepare_no_spark(machine):
    machine.make("check")
    assert machine.calls == FIRST + DEV


def test_the_pin_of_uv_is_that_of_the_lock(machine):
    machine.make("setup")
    pinned = (machine.venv / "uv.txt").read_text()
    lock = (ROOT / "requirements.txt").read_text()
    assert pinned in lock
    assert re.findall(r"^\S+==", pinned, re.MULTILINE) == ["uv=="]
    assert pinned.count("--hash=sha256:") > 10


@pytest.mark.parametrize("user_id", [0, 1000])
def test_debian_without_the_module_venv_gets_it_or_is_told(machine, tmp_path, user_id):
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("make", "bash", "sh", "mkdir", "cp", "touch", "awk", "dirname"):
        (tools / name).symlink_to(shutil.which(name))
    for name, text in {"id": f"echo {user_id}", "apt-get": 'echo "apt-get $*" >>"$CALLS"'}.items():
        (tools / name).write_text(f"#!/bin/sh\n{text}\n")
        (tools / name).chmod(0o755)
    done = machine.make("setup", path=str(tools), no_venv=1)
    if user_id:
        assert done.returncode == 2
        assert "the module venv of Python is needed; install it with: sudo apt-get" in done.stderr
        assert machine.calls == []
    else:
        assert done.returncode == 0, done.stderr
        assert machine.calls[:2] == ["apt-get update -qq", "apt-get install -y -qq python3.-venv"]
        assert machine.calls[2:] == FIRST + ARCHIVE


class Project:
    """A small project that the script of the set-up installs a group of, with the real uv."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        wheels = folder / "wheels"
        stone = make_wheel(wheels, "fruit_stone")
        basket = make_wheel(wheels, "fruit_basket", requires="fruit_stone>=1")
        make_wheel(wheels, "fruit_stone", version="2.0")  # newer than what is pinned
        self.pins = [pin(basket), pin(stone)]
        (folder / ".ci").mkdir()
        shutil.copy(ROOT / ".ci" / "install", folder / ".ci" / "install")
        (folder / "pyproject.toml").write_text(
            '[project]\nname = "orchard"\nversion = "1"\n'
            '[dependency-groups]\npicking = ["fruit_basket>=1"]\n'
            '[tool.uv]\nno-index = true\nfind-links = ["wheels"]\n'
        )
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
        (folder / "venv" / "bin" / "uv").symlink_to(UV)

    def install(self, pins: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
        (self._folder / "requirements.txt").write_text("".join(pins))
        return subprocess.run(
            [self._folder / ".ci" / "install", self._folder / "venv", "--group", "picking"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(self._folder),
                **environment,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    def forget_the_wheels(self) -> None:
        settings = self._folder / "pyproject.toml"
        settings.write_text(settings.read_text().partition("[tool.uv]")[0])

    def evaluate(self, module: str) -> str:
        code = f"import {module}; print({module}.VERSION)"
        command = [self._folder / "venv" / "bin" / "python", "-c", code]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path)


# A home that cannot be written, as of a user without a name in a container: nothing is kept.
@pytest.mark.parametrize("environment", [{}, {"HOME": "/proc/nowhere"}])
def test_the_versions_are_those_of_the_lock_and_lines_tell_how_far_it_is(project, environment):
    done = project.install(project.pins, **environment)
    assert done.returncode == 0, done.stderr
    assert [project.evaluate(name) for name in ("fruit_basket", "fruit_stone")] == ["1.0", "1.0"]
    assert re.search(r"^Resolved 2 packages", done.stderr, re.MULTILINE)
    assert re.search(r"^Installed 2 packages", done.stderr, re.MULTILINE)
    assert "fruit" not in done.stderr


def test_a_package_that_is_not_the_one_of_the_lock_is_refused(project):
    basket, stone = project.pins
    tampered = stone[:-9] + "00000000\n"
    assert tampered != stone
    done = project.install([basket, tampered])
    assert done.returncode != 0
    assert "Hash mismatch for `fruit-stone==1.0`" in done.stderr


def test_a_package_that_the_lock_does_not_name_is_refused(project):
    done = project.install(project.pins[:1])
    assert done.returncode != 0
    assert "no trusted hash was provided for: `fruit-stone`" in done.stderr


def test_the_index_that_pip_was_told_of_is_asked(project):
    elsewhere = "http://127.0.0.1:9/simple"
    project.forget_the_wheels()
    done = project.install(project.pins, PIP_INDEX_URL=elsewhere)
    assert done.returncode != 0
    assert f"{elsewhere}/fruit-basket/" in done.stderr


def test_shellcheck_has_nothing_to_say():
    scripts = [ROOT / ".ci" / "install", ROOT / ".ci" / "run"]
    shellcheck = Path(sys.executable).with_name("shellcheck")
    done = subprocess.run([shellcheck, *scripts], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
