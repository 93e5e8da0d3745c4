"""The targets of make: which commands they run."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
# Writes down how it was called, and fails where it is told to.
STUB = """#!/bin/sh
words="${0##*/} $*"
echo "$words" >>"$CALLS"
[ -z "$FAILING" ] || case "$words" in *"$FAILING"*) exit 1 ;; esac
"""


class Make:
    """Runs make with stubs in place of what it calls.  ``calls`` are theirs, in their order."""

    def __init__(self, folder):
        self._bin = folder / "bin"
        self._bin.mkdir()
        self._log = folder / "calls"
        self._log.touch()
        for name in ("python", "fruits", "pytest"):
            (self._bin / name).write_text(STUB)
            (self._bin / name).chmod(0o755)

    def __call__(self, *words, failing="", **environment):
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        # What is there already, or is not looked at: it would be made anew.
        made = ("setup", "java", ".venv/installed-cdk", ".venv/installed-dev")
        there = [f"--old-file={file}" for file in (*made, "node_modules/.bin/cdk")]
        return subprocess.run(
            ["make", "--no-print-directory", *there, f"BIN={self._bin}", *words],
            cwd=ROOT,
            env=kept | {"CALLS": str(self._log), "FAILING": failing} | environment,
            capture_output=True,
            text=True,
            timeout=900,
            check=False,
        )

    @property
    def calls(self):
        return self._log.read_text().splitlines()


@pytest.fixture
def make(tmp_path):
    return Make(tmp_path)


TEST = "--environment test --stack compute"


@pytest.mark.parametrize(
    ("words", "call"),
    [
        (["deploy"], f"fruits deploy {TEST} --"),
        (
            ["deploy", "STACK=serverless", "ENVIRONMENT=prod", "IMAGES=my photographs"],
            "fruits deploy --environment prod --stack serverless --images my photographs --",
        ),
        (
            ["deploy", "NOTEBOOK=my notebook.ipynb", "CDK_OPTIONS=-c n_task_nodes=0"],
            f"fruits deploy {TEST} --notebook my notebook.ipynb -- -c n_task_nodes=0",
        ),
        (["destroy"], f"fruits destroy {TEST} --"),
        (
            ["destroy", "STACK=data", "YES=1", "STOP=yes"],
            "fruits destroy --environment test --stack data --stop --yes --",
        ),
        (["synth"], "fruits synth --environment test --"),
    ],
)
def test_what_deploys_is_a_command_of_fruits(make, words, call):
    done = make(*words)
    assert done.returncode == 0, done.stderr
    assert [" ".join(each.split()) for each in make.calls] == [call]


def test_photographs_are_uploaded_that_the_environment_names(make):
    make("deploy", IMAGES="photographs")
    assert "--images photographs" in make.calls[0]


def test_a_command_that_fails_fails_the_target(make):
    assert make("deploy", failing="deploy").returncode == 2


@pytest.fixture
def machine(tmp_path):
    """Return a function that makes a PATH with some commands and a user of a number."""

    def path(*commands, user_id):
        folder = tmp_path / "machine"
        folder.mkdir()
        stubs = dict.fromkeys(("apt-get", *commands), STUB)
        for name, text in (stubs | {"id": f"#!/bin/sh\necho {user_id}\n"}).items():
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
        for name in ("make", "bash"):
            (folder / name).symlink_to(shutil.which(name))
        return str(folder)

    return path


def test_root_gets_what_only_tests_need_before_they_run(make, machine):
    done = make("test", PATH=machine(user_id=0))
    assert done.returncode == 0, done.stderr
    assert make.calls[:2] == ["apt-get update -qq", "apt-get install -y -qq chromium maven"]
    assert make.calls[2].startswith("pytest ")


@pytest.mark.parametrize(("there", "user_id"), [(["chromium", "mvn"], 0), ([], 1000)])
def test_nothing_is_installed_that_is_there_or_by_other_users(make, machine, there, user_id):
    done = make("test", PATH=machine(*there, user_id=user_id))
    assert done.returncode == 0, done.stderr
    assert [call.split()[0] for call in make.calls] == ["pytest"]


def test_the_tests_run_where_nothing_can_be_installed(make, machine):
    done = make("test", PATH=machine(user_id=0), failing="apt-get")
    assert done.returncode == 0
    assert "it could not be installed" in done.stderr
    assert make.calls[-1].startswith("pytest ")


def test_the_fast_tests_need_nothing_but_the_set_up(make, machine):
    make("test-fast", PATH=machine(user_id=0))
    assert make.calls == ["pytest --fast -n 2"]
