"""The steps: three, in order, with command lines that the scripts themselves accept."""

import argparse
import json
from pathlib import Path

import pytest

from cdk_app.step_commands import StepInputs, pipeline_steps, steps_as_json
from operations.aws.clusters import NOTEBOOK
from spark_assets.jobs import arguments, erase, featurize, notebook, reduce, report

JOBS = {"featurize": featurize, "reduce": reduce, "report": report}
# Of the standard tier of Parameter Store, which costs nothing.
MAX_PARAMETER_CHARACTERS = 4096


@pytest.fixture(scope="module")
def steps(least):
    """Return the steps of the stack by name."""
    added = least.compute.resources("AWS::EMR::Step").values()
    return {step["Name"]: step for step in added}


def inputs(**changed):
    values = {
        "images_uri": "s3://raw/images",
        "output_uri": "s3://results/chain",
        "model_uri": "s3://assets/model.zip",
        "package_uri": "s3://assets/package.zip",
        "script_uris": {name: f"s3://assets/{name}.py" for name in JOBS},
        "event_log_uri": "s3://logs/spark-events",
        "n_components": "0.95",
        "label_level": 1,
        "max_rejected": 0.1,
        "revision": "1",
    }
    return StepInputs(**values | changed)


def parsed_by_its_job(name, command_line):
    """Parse what stands after the script, as the script does."""
    (script,) = (i for i, argument in enumerate(command_line) if argument.endswith(".py"))
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False)
    {**JOBS, "erase": erase, "notebook": notebook}[name].COMMAND.add_options(parser)
    return parser.parse_args(command_line[script + 1 :])


def parsed_steps(**changed):
    return {
        step.name: parsed_by_its_job(step.name, list(step.arguments))
        for step in pipeline_steps(inputs(**changed))
    }


def test_features_come_first_and_the_report_last(least):
    assert list(JOBS) == [step.name for step in pipeline_steps(inputs())]
    dependencies = {
        resource["Properties"]["Name"]: resource.get("DependsOn", [])
        for resource in least.compute.template["Resources"].values()
        if resource["Type"] == "AWS::EMR::Step"
    }
    assert dependencies == {
        "featurize": [],
        "reduce": ["FeaturizeStep"],
        "report": ["ReduceStep"],
    }


def test_a_step_that_fails_cancels_the_others_and_leaves_the_cluster(least, steps):
    (cluster,) = least.compute.resources("AWS::EMR::Cluster")
    assert len(steps) == 3
    for step in steps.values():
        assert step["ActionOnFailure"] == "CANCEL_AND_WAIT"
        assert step["HadoopJarStep"]["Jar"] == "command-runner.jar"
        assert step["JobFlowId"] == cluster


def test_spark_submit_runs_each_script_with_the_package_in_client_mode(least, steps):
    for name, step in steps.items():
        submit, *options = step["HadoopJarStep"]["Args"]
        assert submit == "spark-submit"
        assert options[:2] == ["--deploy-mode", "client"]
        package_at = options.index("--py-files") + 1
        package, script = map(least.asset, options[package_at : package_at + 2])
        assert (package / "spark_assets").is_dir()
        assert script.read_text() == Path(JOBS[name].__file__).read_text()


@pytest.mark.parametrize(
    "changed", [{"revision": "2"}, {"n_components": "3"}, {"label_level": 2}, {"max_rejected": 0.2}]
)
def test_whatever_changes_all_three_steps_are_others(changed):
    """EMR runs a step that has changed: one that had not would leave its tables behind."""
    before, after = pipeline_steps(inputs()), pipeline_steps(inputs(**changed))
    assert not [old.name for old, new in zip(before, after, strict=True) if old == new]


def test_featurize_reads_the_photographs_and_writes_the_results(least, steps):
    parsed = parsed_by_its_job("featurize", steps["featurize"]["HadoopJarStep"]["Args"])
    options = arguments.featurize_options(parsed)
    outputs = least.data.outputs()
    assert options.images.uri == outputs["ImagesUri"]
    assert options.output.uri == outputs["OutputUri"]
    assert options.max_rejected == 0.1
    assert options.overwrite is False
    assert (least.asset(options.model.model_uri) / "model.tflite").is_file()


def test_reduce_and_report_work_on_the_same_output(least, steps):
    wanted = least.data.outputs()["OutputUri"]
    parsed = parsed_by_its_job("reduce", steps["reduce"]["HadoopJarStep"]["Args"])
    reduced = arguments.reduce_options(parsed)
    parsed = parsed_by_its_job("report", steps["report"]["HadoopJarStep"]["Args"])
    assert reduced.output.uri == arguments.report_options(parsed).output.uri == wanted
    assert reduced.n_components == 0.95
    assert reduced.pca_model is None


@pytest.mark.parametrize("share", [0.0, 1.0, 0.1, 0.999999999, 0.000000001])
def test_the_share_of_rejected_images_arrives_unchanged(share):
    assert parsed_steps(max_rejected=share)["featurize"].max_rejected == share


@pytest.mark.parametrize(
    ("given", "meant"), [("0.95", 0.95), (".5", 0.5), ("120", 120), ("007", 7), ("1", 1)]
)
def test_a_number_of_components_is_an_int_and_a_share_a_float(given, meant):
    n_components = parsed_steps(n_components=given)["reduce"].n_components
    assert (n_components, type(n_components)) == (meant, type(meant))


def test_by_default_a_failed_step_can_take_no_cluster_back_for_the_stack_holds_none(either):
    assert either.compute.resources("AWS::EMR::Step") == {}


def test_the_parameter_holds_the_same_steps_whether_the_stack_has_them_or_not(least, either, steps):
    in_the_stack = [
        {"name": step["Name"], "arguments": step["HadoopJarStep"]["Args"]}
        for step in steps.values()
    ]
    assert json.loads(least.compute.parameter("Steps")["Value"]) == in_the_stack
    waiting = json.loads(either.compute.parameter("Steps")["Value"])
    assert [step["name"] for step in waiting] == list(steps)


def test_the_parameter_is_found_by_its_environment(either):
    environment = either.compute.name.split("-")[1]
    outputs = either.compute.outputs()
    assert either.compute.parameter("Steps")["Name"] == f"/fruits/{environment}/steps"
    assert outputs["StepsParameterName"] == f"/fruits/{environment}/steps"
    assert either.compute.parameter("ErasureStep")["Name"] == outputs["ErasureStepParameterName"]


def test_the_step_of_an_erasure_is_submitted_alone_and_its_job_takes_it(either):
    (step,) = json.loads(either.compute.parameter("ErasureStep")["Value"])
    assert step["name"] == "erase"
    parsed = parsed_by_its_job("erase", step["arguments"])
    assert parsed.rewrite_only
    assert parsed.output == either.data.outputs()["OutputUri"]


def test_the_step_of_a_notebook_lacks_the_notebook_and_its_place_alone(either):
    outputs = either.compute.outputs()
    parameter = either.compute.parameter("NotebookStep")
    assert parameter["Name"] == outputs["NotebookStepParameterName"]
    (step,) = json.loads(parameter["Value"])
    assert step["name"] == NOTEBOOK
    lacking = ["--notebook", "s3://b/n.ipynb", "--results", outputs["NotebooksUri"]]
    parsed = parsed_by_its_job("notebook", [*step["arguments"], *lacking])
    assert parsed.images == either.data.outputs()["ImagesUri"]
    assert parsed.output == either.data.outputs()["OutputUri"]
    assert (either.asset(parsed.model) / "model.tflite").is_file()


def test_the_parameter_has_room_for_the_longest_names(either):
    longest_bucket = 63
    value = either.compute.parameter("Steps")["Value"]
    for bucket in either.data.outputs().values():
        value = value.replace(f"s3://{bucket}/", f"s3://{'b' * longest_bucket}/")
    assert "b" * longest_bucket in value
    assert len(value) < MAX_PARAMETER_CHARACTERS


def test_every_step_leaves_its_event_log_below_the_retention_of_logs(made):
    logs = made.data.outputs()["LogsBucketName"]
    for name in ("Steps", "ErasureStep"):
        for step in json.loads(made.compute.parameter(name)["Value"]):
            settings = {a for a in step["arguments"] if a.startswith("spark.eventLog.")}
            assert settings == {
                "spark.eventLog.enabled=true",
                f"spark.eventLog.dir=s3://{logs}/spark-events",
            }


def test_a_notebook_leaves_no_events_for_its_queries_may_name_photographs(made):
    (step,) = json.loads(made.compute.parameter("NotebookStep")["Value"])
    settings = [a for a in step["arguments"] if a.startswith("spark.eventLog.")]
    assert settings == ["spark.eventLog.enabled=false"]


def test_json_and_back_is_the_same_step():
    steps = pipeline_steps(inputs(images_uri='s3://raw/im"ages\\é'))
    stored = json.loads(steps_as_json(steps))
    assert [(s["name"], tuple(s["arguments"])) for s in stored] == [
        (step.name, step.arguments) for step in steps
    ]
