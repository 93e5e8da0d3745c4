"""What a change of one thing changes in the cloud, and what it leaves alone."""

import re
import shutil

import pytest

from cdk_app import artifacts as artifacts_module
from tests.infrastructure.context import ROOT
from tests.infrastructure.synthesis import synthesize


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Return a copy of the project that the app takes for the project."""
    copy = tmp_path / "tree"
    no_caches = shutil.ignore_patterns("__pycache__")
    for folder in ("spark_assets", "operations", "sample_photographs"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=no_caches)
    shutil.copy(ROOT / "cdk.json", copy)
    monkeypatch.setattr(artifacts_module, "ROOT", copy)
    return copy


@pytest.fixture
def again(artifacts, tree, context, tmp_path):
    """Return a function that synthesizes the copy, with artifacts of its own and the steps."""
    folder = tmp_path / "artifacts"
    shutil.copytree(artifacts, folder)
    paths = {f"{name}_path": str(folder / name) for name in ("wheelhouse", "model")}

    def make_again():
        return synthesize(tmp_path / "out", context | paths | {"steps": "run"})

    make_again.artifacts = folder
    return make_again


@pytest.fixture(scope="module")
def before(make):
    """Return the app of the unchanged project, with the steps in the compute stack."""
    return make(steps="run")


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


def assert_same(before, after):
    old, new = files_of(before), files_of(after)
    assert old.keys() == new.keys()
    assert [name for name in old if old[name] != new[name]] == []


def test_a_copy_of_the_project_gives_the_same_assembly_to_the_byte(before, again):
    assert_same(before, again())


def test_what_is_not_deployed_changes_nothing(before, again, tree):
    (tree / "notes.md").write_text("not deployed")
    (tree / "cdk_app").mkdir()
    (tree / "cdk_app" / "x.py").write_text("")
    (tree / "spark_assets" / "jobs" / "__pycache__").mkdir()
    (tree / "spark_assets" / "jobs" / "__pycache__" / "reduce.pyc").write_bytes(b"made by Python")
    prices = tree / "operations" / "costs" / "prices.json"
    raised = re.sub(r'"value": ([0-9.]+)', r'"value": 9\1', prices.read_text())
    assert raised != prices.read_text()
    prices.write_text(raised)
    append(tree / "operations" / "commands" / "status.py", "\n# changed\n")
    append(tree / "sample_photographs" / "__init__.py", "\n# changed\n")
    # The wheels of the other architecture.
    append(again.artifacts / "wheelhouse" / "x86_64" / "wheelhouse.tar.gz", "more")
    assert_same(before, again())


@pytest.mark.parametrize("changed", ["jobs/reduce.py", "errors.py"])
def test_changed_code_of_a_job_gives_new_steps_and_keeps_the_cluster(before, again, tree, changed):
    append(tree / "spark_assets" / changed, "\n# changed\n")
    after = again()
    # The reads of a node, the command lines of its steps, and nothing else.
    assert sorted(changed_resources(before, after).values()) == [
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


def test_a_changed_network_gives_new_steps_and_keeps_the_cluster(before, again):
    append(again.artifacts / "model" / "model.json", " ")
    changed = changed_resources(before, again())
    assert {"FeaturizeStep", "ReduceStep", "ReportStep"} <= changed.keys()
    assert "AWS::EMR::Cluster" not in changed.values()


@pytest.mark.parametrize("what", ["wheels", "bootstrap"])
def test_changed_packages_of_a_node_replace_the_cluster(before, again, tree, what):
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
