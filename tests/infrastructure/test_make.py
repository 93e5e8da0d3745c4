"""The targets of make that deploy and destroy: which commands they run, in which order."""

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
case "$words" in
    *"plan goals"*) echo "$GOALS" ;;
    *"plan steps-command"*) echo "submit --follow" ;;
    *) ;;
esac
[ -z "$FAILING" ] || case "$words" in *"$FAILING"*) exit 1 ;; esac
"""
PLAN = "python -m operations.plan"
NOTEBOOK = "docs/walkthrough.ipynb"
PREFLIGHT = "python -m operations.preflight --stack"
STOP_SERVERLESS = "python -m operations.stop_serverless"
CDK = "python -m operations.cdk"
DEPLOY = f"{CDK} deploy --exclusively --method=direct --require-approval never"
DESTROY = f"{CDK} destroy --exclusively --force"
TEST, PROD = "-c environment=test", "-c environment=prod"


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

    def __call__(self, *words, failing="", goals="", **environment):
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        # What is there already, or is not looked at: it would be made anew.
        made = ("setup", "java", ".venv/installed-cdk", ".venv/installed-dev")
        there = [f"--old-file={file}" for file in (*made, "node_modules/.bin/cdk")]
        return subprocess.run(
            ["make", "--no-print-directory", *there, f"BIN={self._bin}", *words],
            cwd=ROOT,
            env=kept | {"CALLS": str(self._log), "FAILING": failing, "GOALS": goals} | environment,
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


def test_deploy_says_its_plan_before_it_makes_anything(make):
    done = make("deploy")
    assert done.returncode == 0, done.stderr
    assert make.calls == [
        f"{PLAN} goals {TEST}",
        f"{PLAN} deploy {TEST}",
        f"{PREFLIGHT} compute {TEST}",
        f"{DEPLOY} {TEST} FruitsData",
        f"{DEPLOY} {TEST} FruitsCompute",
        f"{PLAN} steps-command {TEST}",
        "fruits submit --follow --environment test",
        f"{PLAN} after-deploy {TEST}",
    ]
    assert "no photographs are uploaded" in done.stdout


def test_a_notebook_is_executed_after_the_steps(make):
    assert make("deploy", f"NOTEBOOK={NOTEBOOK}").returncode == 0
    assert make.calls[-3:] == [
        "fruits submit --follow --environment test",
        f"fruits submit --notebook {NOTEBOOK} --follow --environment test",
        f"{PLAN} after-deploy {TEST}",
    ]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["NOTEBOOK=nowhere.ipynb"], "there is no notebook 'nowhere.ipynb'; give a file (.ipynb)"),
        ([f"NOTEBOOK={NOTEBOOK}", "STACK=serverless"], "NOTEBOOK needs a cluster; leave STACK out"),
    ],
)
def test_a_notebook_that_cannot_be_executed_is_refused_before_anything_is_made(
    make, words, sentence
):
    done = make("deploy", *words)
    assert done.returncode == 2
    assert f"fruits: {sentence}" in done.stderr
    assert make.calls == [f"{PLAN} goals {TEST}"]


def test_deploy_makes_an_application_in_place_of_a_cluster(make):
    done = make("deploy", "STACK=serverless", "IMAGES=photographs")
    assert done.returncode == 0, done.stderr
    assert make.calls == [
        f"{PLAN} goals {TEST}",
        f"{PLAN} deploy-serverless {TEST}",
        f"{PREFLIGHT} serverless {TEST}",
        f"{DEPLOY} {TEST} FruitsData",
        "fruits upload --images photographs --environment test",
        f"{DEPLOY} {TEST} FruitsServerless",
        f"{PLAN} after-deploy-serverless {TEST}",
    ]


@pytest.mark.parametrize("stack", ["data", "all", ""])
def test_deploy_refuses_another_stack(make, stack):
    done = make("deploy", f"STACK={stack}")
    assert done.returncode == 2
    assert f"fruits: STACK is '{stack}'; give compute or serverless" in done.stderr
    assert not any("deploy" in call for call in make.calls)


@pytest.mark.parametrize("way", ["command line", "environment"])
def test_deploy_uploads_between_the_stacks_when_images_are_given(make, way):
    if way == "environment":
        make("deploy", "ENVIRONMENT=prod", IMAGES="my photographs")
    else:
        make("deploy", "ENVIRONMENT=prod", "IMAGES=my photographs")
    assert make.calls[3:6] == [
        f"{DEPLOY} {PROD} FruitsData",
        "fruits upload --images my photographs --environment prod",
        f"{DEPLOY} {PROD} FruitsCompute",
    ]


@pytest.mark.parametrize(
    ("failing", "n_calls"),
    [
        ("goals", 1),
        ("plan deploy", 2),
        ("preflight", 3),
        ("FruitsData", 4),
        ("upload", 5),
        ("FruitsCompute", 6),
        ("submit", 8),
    ],
)
def test_deploy_stops_where_something_fails(make, failing, n_calls):
    assert make("deploy", "IMAGES=photographs", failing=failing).returncode == 2
    assert len(make.calls) == n_calls


def test_every_call_gets_the_options_of_the_cdk(make):
    make("deploy", "CDK_OPTIONS=-c steps=none -c n_task_nodes=0")
    of_the_cdk = [call for call in make.calls if not call.startswith("fruits ")]
    assert len(of_the_cdk) == 7
    assert all(f"{TEST} -c steps=none -c n_task_nodes=0" in call for call in of_the_cdk)


@pytest.mark.parametrize("target", ["deploy", "synth", "diff"])
def test_what_the_stacks_ship_is_made_first(make, target):
    done = make(target, goals="help")
    assert done.stdout.startswith("make help ")
    assert make.calls[0] == f"{PLAN} goals {TEST}"


def test_synth_prints_each_stack(make):
    make("synth")
    assert make.calls[1:] == [
        f"{CDK} synth {stack} --exclusively {TEST}"
        for stack in ("FruitsData", "FruitsCompute", "FruitsServerless")
    ]


def test_diff_shows_all(make):
    make("diff", "ENVIRONMENT=prod")
    assert make.calls[1:] == [f"{CDK} diff {PROD}"]


def test_bootstrap_needs_nothing_that_is_shipped(make):
    make("bootstrap")
    assert make.calls == [f"{CDK} bootstrap {TEST}"]


def test_upload_asks_for_a_folder(make):
    done = make("upload")
    assert done.returncode == 2
    assert "fruits: the folder is missing; give it with: make upload IMAGES=folder" in done.stderr
    assert make.calls == []


def test_upload_uploads(make):
    make("upload", "IMAGES=photographs")
    assert make.calls == ["fruits upload --images photographs --environment test"]


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ([], "fruits erase --output out --path kiwi/my 1.jpg"),
        (["OUTPUT=my results"], "fruits erase --output my results --path kiwi/my 1.jpg"),
        (["ON=cluster"], "fruits erase --on-cluster --environment test --path kiwi/my 1.jpg"),
        (
            ["ON=serverless", "ENVIRONMENT=prod"],
            "fruits erase --serverless --environment prod --path kiwi/my 1.jpg",
        ),
    ],
)
def test_erase_works_on_a_folder_or_on_what_is_deployed(make, words, call):
    assert make("erase", "ERASE=--path 'kiwi/my 1.jpg'", *words).returncode == 0
    assert make.calls == [call]


def test_destroy_is_about_the_cluster(make):
    make("destroy")
    assert make.calls == [
        f"{PLAN} destroy-compute {TEST}",
        f"{CDK}.foreign_rules {TEST}",
        f"{DESTROY} {TEST} FruitsCompute",
    ]


@pytest.mark.parametrize(("stop", "option"), [([], ""), (["STOP=yes"], " --stop")])
def test_the_application_is_stopped_before_it_is_deleted(make, stop, option):
    make("destroy", "STACK=serverless", *stop)
    assert [" ".join(call.split()) for call in make.calls] == [
        f"{PLAN} destroy-serverless {TEST}",
        f"{STOP_SERVERLESS}{option} {TEST}",
        f"{DESTROY} {TEST} FruitsServerless",
    ]


def test_the_application_is_not_deleted_while_a_run_is_in_the_way(make):
    assert make("destroy", "STACK=serverless", failing="stop_serverless").returncode == 2
    assert "stop_serverless" in make.calls[-1]


@pytest.mark.parametrize("stack", ["compute", "serverless"])
def test_the_preflight_can_be_had_alone(make, stack):
    assert make("preflight", f"STACK={stack}", "CDK_OPTIONS=-c n_task_nodes=0").returncode == 0
    assert make.calls == [f"{PREFLIGHT} {stack} {TEST} -c n_task_nodes=0"]


@pytest.mark.parametrize(("yes", "option"), [([], ""), (["YES=1"], " --yes")])
def test_data_are_emptied_once_the_cluster_is_gone_and_then_destroyed(make, yes, option):
    make("destroy", "STACK=data", *yes)
    assert [call.rstrip() for call in make.calls] == [
        f"{PLAN} destroy-data {TEST}",
        f"python -m operations.cdk.standing {TEST}",
        f"fruits empty --environment test{option}",
        f"{DESTROY} {TEST} FruitsData",
    ]


@pytest.mark.parametrize(("failing", "last"), [("standing", "standing"), ("empty", "empty")])
def test_data_are_not_destroyed_where_the_step_before_refuses(make, failing, last):
    assert make("destroy", "STACK=data", "YES=1", failing=failing).returncode == 2
    assert last in make.calls[-1]


def test_another_stack_is_refused(make):
    done = make("destroy", "STACK=all")
    assert done.returncode == 2
    assert "fruits: STACK is 'all'; give compute, serverless or data" in done.stderr
    assert make.calls == []


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
    assert make.calls == ["pytest --fast"]
