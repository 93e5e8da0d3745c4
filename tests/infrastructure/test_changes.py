"""What a change of one thing changes in the cloud, and what it leaves alone."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cdk_app import artifacts as artifacts_module
from tests.infrastructure.context import ROOT, default_context
from tests.infrastructure.synthesis import synthesize


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a copy of the project that the app takes for the project."""
    copy = tmp_path / "tree"
    no_caches = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "spark_assets", copy / "spark_assets", ignore=no_caches)
    shutil.copy(ROOT / "cdk.json", copy)
    monkeypatch.setattr(artifacts_module, "ROOT", copy)
    return copy


@pytest.fixture
def again(artifacts, tree, context, tmp_path):
    """Return a function that synthesizes the copy, with artifacts of its own."""
    folder = tmp_path / "artifacts"
    shutil.copytree(artifacts, folder)
    paths = {f"{name}_path": str(folder / name) for name in ("wheelhouse", "model")}
    n = iter(range(10))

    def make_again(**changed):
        return synthesize(tmp_path / f"out{next(n)}", context | paths | changed)

    make_again.artifacts = folder
    return make_again


def files_of(made):
    return {
        str(path.relative_to(made.folder)): path.read_bytes()
        for path in made.folder.rglob("*")
        if path.is_file()
    }


def changed_resources(before, after):
    """Return the types of the resources that differ, by logical id."""
    old, new = (made.compute.template["Resources"] for made in (before, after))
    assert old.keys() == new.keys()
    return {name: new[name]["Type"] for name in new if old[name] != new[name]}


def append(file, text):
    file.write_text(file.read_text() + text)


@pytest.fixture
def synth_whole_tree(artifacts, tmp_path):
    """Return a function that synthesizes a whole copy of the project, code and all, by app.py."""
    copy = tmp_path / "project"
    for folder in ("cdk_app", "spark_assets", "operations", "sample_photographs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("app.py", "cdk.json"):
        shutil.copy(ROOT / file, copy)
    paths = {f"{name}_path": str(artifacts / name) for name in ("wheelhouse", "model")}
    environment = {
        **os.environ,
        # Node lies beside Python.
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "CDK_CONTEXT_JSON": json.dumps(default_context() | paths),
        "CDK_OUTDIR": str(tmp_path / "out"),
    }

    def synth():
        subprocess.run([sys.executable, "app.py"], cwd=copy, env=environment, check=True)
        templates = {
            file.name: file.read_text() for file in (tmp_path / "out").glob("*.template.json")
        }
        # The end of the cluster's life is counted from the clock.
        return {name: re.sub(r"at\([0-9T:-]+\)", "at()", text) for name, text in templates.items()}

    synth.folder = copy
    return synth


@pytest.mark.slow
def test_a_price_a_drawing_and_a_command_of_the_operator_change_no_template(synth_whole_tree):
    before = synth_whole_tree()
    assert "at()" in before["FruitsCompute.template.json"]
    prices = synth_whole_tree.folder / "operations" / "costs" / "prices.json"
    raised = re.sub(r'"value": ([0-9.]+)', r'"value": 9\1', prices.read_text())
    assert raised != prices.read_text()
    prices.write_text(raised)
    append(synth_whole_tree.folder / "operations" / "commands" / "status.py", "\n# changed\n")
    append(synth_whole_tree.folder / "sample_photographs" / "drawing" / "parts.py", "\n# x\n")
    assert synth_whole_tree() == before


@pytest.mark.slow
def test_what_a_spark_step_runs_does_change_the_templates(synth_whole_tree):
    before = synth_whole_tree()
    append(synth_whole_tree.folder / "spark_assets" / "chain" / "run.py", "\n# changed\n")
    assert synth_whole_tree() != before


def test_two_syntheses_of_one_tree_are_the_same_to_the_byte(again):
    first, second = files_of(again()), files_of(again())
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_what_stays_on_this_machine_changes_nothing(again, tree):
    before = files_of(again())
    (tree / "notes.md").write_text("not deployed")
    (tree / "cdk_app").mkdir()
    (tree / "cdk_app" / "x.py").write_text("")
    (tree / "spark_assets" / "jobs" / "__pycache__").mkdir()
    (tree / "spark_assets" / "jobs" / "__pycache__" / "reduce.pyc").write_bytes(b"made by Python")
    assert files_of(again()) == before


def test_a_changed_script_gives_new_steps_and_keeps_the_cluster(again, tree):
    before = again(steps="run")
    append(tree / "spark_assets" / "jobs" / "reduce.py", "\n# changed\n")
    after = again(steps="run")
    changed = changed_resources(before, after)
    # What the node may read, what it is told to run, and nothing else.
    assert sorted(changed.values()) == [
        "AWS::EC2::VPCEndpoint",
        "AWS::EMR::Step",
        "AWS::EMR::Step",
        "AWS::EMR::Step",
        "AWS::IAM::Policy",
        "AWS::SSM::Parameter",
        "AWS::SSM::Parameter",
        "AWS::SSM::Parameter",
    ]
    assert before.data.template == after.data.template


def test_a_changed_network_gives_new_steps_and_keeps_the_cluster(again):
    before = again(steps="run")
    append(again.artifacts / "model" / "model.json", " ")
    changed = changed_resources(before, again(steps="run"))
    assert {"FeaturizeStep", "ReduceStep", "ReportStep"} <= changed.keys()
    assert "AWS::EMR::Cluster" not in changed.values()


@pytest.mark.parametrize("what", ["wheels", "bootstrap"])
def test_what_a_node_is_installed_with_replaces_the_cluster(again, tree, what):
    before = again()
    if what == "wheels":
        append(again.artifacts / "wheelhouse" / "arm64" / "wheelhouse.tar.gz", "more")
    else:
        append(tree / "spark_assets" / "node" / "bootstrap.sh", "\n")
    after = again()
    changed = changed_resources(before, after)
    (cluster,) = (name for name, kind in changed.items() if kind == "AWS::EMR::Cluster")
    old, new = (made.compute.of(cluster)["Properties"] for made in (before, after))
    # CloudFormation replaces a cluster whose bootstrap actions change.
    assert [key for key in new if old[key] != new[key]] == ["BootstrapActions"]


def test_the_wheels_of_the_other_architecture_change_nothing(again):
    before = files_of(again())
    append(again.artifacts / "wheelhouse" / "x86_64" / "wheelhouse.tar.gz", "more")
    assert files_of(again()) == before
