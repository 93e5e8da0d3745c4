"""What the nodes are given, and the sentence that says how to make what is missing."""

import hashlib
import json
import re
from pathlib import Path

import pytest
from aws_cdk.assertions import Annotations, Match

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
def incomplete(artifacts, context, tmp_path):
    """Return a function that synthesizes with one file of the artifacts missing."""

    def without(missing, **changed):
        folder = tmp_path / "incomplete"
        for file in artifacts.rglob("*"):
            relative = file.relative_to(artifacts)
            if file.is_file() and str(relative) != missing:
                copy = folder / relative
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(file.read_bytes())
        paths = {f"{name}_path": str(folder / name) for name in ("wheelhouse", "model")}
        return synthesize(tmp_path / "out", context | paths | changed)

    return without


def test_complete_artifacts_are_no_error(either):
    assert errors_of(either) == [[], [], []]


@pytest.mark.parametrize(("family", "architecture"), [("m7g", "arm64"), ("m7i", "x86_64")])
def test_missing_wheels_stop_the_compute_stack_and_say_what_makes_them(
    incomplete, family, architecture
):
    types = {f"{role}_instance_type": f"{family}.xlarge" for role in ("primary", "worker")}
    made = incomplete(f"wheelhouse/{architecture}/wheelhouse.tar.gz", **types)
    data_errors, ((place, sentence),), serverless_errors = errors_of(made)
    assert (data_errors, serverless_errors) == ([], [])
    assert place.startswith("/FruitsCompute/")
    assert sentence.startswith(f"the wheels for {architecture} are not in ")
    assert sentence.endswith(f"; make them with: make wheelhouse ARCHITECTURE={architecture}")


def test_missing_libraries_stop_the_serverless_stack_and_say_what_makes_them(incomplete):
    *others, ((place, sentence),) = errors_of(incomplete("wheelhouse/arm64/libraries.tgz"))
    assert others == [[], []]
    assert place.startswith("/FruitsServerless/")
    assert sentence.startswith("the libraries for arm64 are not in ")
    assert sentence.endswith("; make them with: make wheelhouse ARCHITECTURE=arm64")


def test_the_wheels_of_the_other_architecture_may_be_missing(incomplete):
    assert errors_of(incomplete("wheelhouse/x86_64/wheelhouse.tar.gz")) == [[], [], []]


@pytest.mark.parametrize("name", MODEL_FILES)
def test_a_missing_file_of_the_network_stops_the_stacks_that_compute(incomplete, name):
    data_errors, ((_, sentence),), ((_, again),) = errors_of(incomplete(f"model/{name}"))
    assert data_errors == []
    assert again == sentence
    assert f"({name} missing); make it with: make model" in sentence


def test_what_the_sentences_tell_to_make_can_be_made():
    makefile = (ROOT / "Makefile").read_text()
    assert re.search(r"^wheelhouse:", makefile, re.MULTILINE)
    assert re.search(r"^model:", makefile, re.MULTILINE)
    assert "$(ARCHITECTURE)" in makefile


def test_a_stack_that_lacks_a_file_can_still_be_told_apart_and_destroyed(incomplete):
    made = incomplete("model/model.json")
    assert made.compute.name == "fruits-test-compute"
    assert made.compute.resources("AWS::EMR::Cluster")


def test_relative_paths_are_those_of_the_project(context, tmp_path):
    made = synthesize(tmp_path / "out", context | {"model_path": "no-such-folder"})
    ((_, sentence),) = errors_of(made)[1]
    assert sentence.startswith("there is no network in no-such-folder (")


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
    assert Path("spark_assets/report/page.html") in files


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
