"""What the nodes are given, and the sentence that says how to make what is missing."""

import hashlib
import json
import re
import shutil
from pathlib import Path

import pytest
from aws_cdk.assertions import Annotations, Match

from cdk_app.artifacts import model_folder
from cdk_app.config import ConfigError, PipelineConfig
from operations import cli
from tests.infrastructure.conftest import MODEL_FILES
from tests.infrastructure.context import ROOT
from tests.infrastructure.synthesis import synthesize


def step_arguments(made, name):
    steps = json.loads(made.compute.parameter("Steps")["Value"])
    (arguments,) = (step["arguments"] for step in steps if step["name"] == name)
    return arguments


def errors_of(made):
    """Return the errors that keep each stack from being deployed."""
    everything = Match.string_like_regexp(".*")
    return [
        [
            (message.id, message.entry.data)
            for message in Annotations.from_stack(stack).find_error("*", everything)
        ]
        for stack in made.constructs
    ]


@pytest.fixture
def without(artifacts, context, tmp_path):
    """Return a function that synthesizes with some files of the artifacts missing."""
    folder = tmp_path / "incomplete"
    shutil.copytree(artifacts, folder)
    paths = {f"{name}_path": str(folder / name) for name in ("wheelhouse", "model")}

    def synthesize_without(*missing):
        for name in missing:
            (folder / name).unlink()
        return synthesize(tmp_path / "out", context | paths)

    return synthesize_without


def test_complete_artifacts_are_no_error(either):
    assert errors_of(either) == [[], [], []]


def test_missing_wheels_stop_the_stacks_that_compute_and_name_the_command(without):
    # Those of the other architecture may be missing.
    made = without(
        "wheelhouse/arm64/wheelhouse.tar.gz",
        "wheelhouse/arm64/libraries.tgz",
        "wheelhouse/x86_64/wheelhouse.tar.gz",
    )
    data_errors, *others = errors_of(made)
    assert data_errors == []
    stacks = (("FruitsCompute", "wheels"), ("FruitsServerless", "libraries"))
    for ((place, sentence),), (stack, files) in zip(others, stacks, strict=True):
        assert place.startswith(f"/{stack}/")
        assert sentence.startswith(f"the {files} for arm64 are not in ")
        assert sentence.endswith("; build them with: fruits build-artifacts --architecture arm64")


def test_a_missing_network_stops_the_stacks_that_compute_and_they_can_be_destroyed(without):
    made = without("model/model.tflite", "wheelhouse/x86_64/libraries.tgz")
    data_errors, ((_, sentence),), ((_, again),) = errors_of(made)
    assert data_errors == []
    assert again == sentence
    assert "(model.tflite missing); build it with: fruits build-artifacts" in sentence
    assert made.compute.name == "fruits-test-compute"
    assert made.compute.resources("AWS::EMR::Cluster")


@pytest.mark.parametrize("name", MODEL_FILES)
def test_each_file_of_the_network_is_needed(context, tmp_path, name):
    for file in MODEL_FILES:
        (tmp_path / file).touch()
    config = PipelineConfig.from_context(context | {"model_path": str(tmp_path)})
    assert model_folder(config) == tmp_path
    (tmp_path / name).unlink()
    with pytest.raises(ConfigError, match=re.escape(f"({name} missing)")):
        model_folder(config)


def test_relative_paths_are_those_of_the_project(context):
    config = PipelineConfig.from_context(context | {"model_path": "no-such-folder"})
    with pytest.raises(ConfigError, match=r"^there is no network in no-such-folder \("):
        model_folder(config)


def test_the_command_of_the_sentences_exists():
    _, parsed = cli.parse(["build-artifacts", "--architecture", "arm64"])
    assert parsed.architecture == "arm64"
    _, parsed = cli.parse(["build-artifacts"])
    assert parsed.architecture is None


def test_the_package_has_its_folder_at_the_top_and_nothing_beside_it(made):
    arguments = step_arguments(made, "featurize")
    package = made.asset(arguments[arguments.index("--py-files") + 1])
    assert [path.name for path in package.iterdir()] == ["spark_assets"]
    files = {path.relative_to(package) for path in package.rglob("*") if path.is_file()}
    assert not [file for file in files if "__pycache__" in file.parts or file.suffix == ".pyc"]
    # Whatever Python imports there, and the templates of the report.
    sources = {
        path.relative_to(ROOT)
        for path in (ROOT / "spark_assets").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert files == sources
    assert Path("spark_assets/report/report.html") in files


def test_each_step_runs_the_script_of_its_name(made):
    for name in ("featurize", "reduce", "report"):
        (script,) = (
            argument for argument in step_arguments(made, name) if argument.endswith(".py")
        )
        source = ROOT / "spark_assets" / "jobs" / f"{name}.py"
        assert made.asset(script).read_bytes() == source.read_bytes()


def test_the_network_goes_as_one_folder(made):
    arguments = step_arguments(made, "featurize")
    uri = arguments[arguments.index("--model") + 1]
    assert uri.endswith(".zip")
    assert sorted(path.name for path in made.asset(uri).iterdir()) == sorted(MODEL_FILES)


def test_the_node_checks_the_wheels_that_it_is_given_and_asks_frankfurt_for_them(made):
    (action,) = made.compute.only("AWS::EMR::Cluster")["BootstrapActions"]
    script = action["ScriptBootstrapAction"]
    wheels, sha256, region = script["Args"]
    assert region == "eu-central-1"
    assert hashlib.sha256(made.asset(wheels).read_bytes()).hexdigest() == sha256
    bootstrap = ROOT / "spark_assets" / "node" / "bootstrap.sh"
    assert made.asset(script["Path"]).read_bytes() == bootstrap.read_bytes()


def test_the_app_looks_nothing_up_in_aws(either):
    assert "missing" not in either.manifest
