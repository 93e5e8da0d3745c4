"""`fruits submit --notebook`: what is uploaded, and the step that is added."""

import json
import re

import pytest

from operations import cli
from tests.operations.aws.conftest import NOTEBOOK_STEP, RESULTS

NOTEBOOK = json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []})


@pytest.fixture
def notebook(tmp_path):
    file = tmp_path / "my photographs (2).ipynb"
    file.write_text(NOTEBOOK)
    return file


def keys_in(s3, bucket):
    return [one["Key"] for one in s3.list_objects_v2(Bucket=bucket).get("Contents", ())]


def test_a_notebook_goes_to_a_folder_of_its_own_and_to_a_step(
    make_data_stack, make_compute_stack, s3, notebook, capsys
):
    make_data_stack()
    cluster = make_compute_stack()
    assert cli.main(["submit", "--notebook", str(notebook)]) == 0
    (key,) = keys_in(s3, RESULTS)
    folder, _, source = key.rpartition("/source/")
    assert re.fullmatch(r"notebooks/my-photographs-2--\d{8}T\d{6}Z", folder)
    assert s3.get_object(Bucket=RESULTS, Key=key)["Body"].read().decode() == NOTEBOOK
    (added,) = cluster.client.list_steps(ClusterId=cluster.cluster_id)["Steps"]
    told = cluster.client.describe_step(ClusterId=cluster.cluster_id, StepId=added["Id"])["Step"]
    uri = f"s3://{RESULTS}/{folder}"
    lacking = ["--notebook", f"{uri}/source/{source}", "--results", uri]
    assert told["Config"]["Args"] == [*NOTEBOOK_STEP["arguments"], *lacking]
    assert told["ActionOnFailure"] == "CONTINUE"  # no step needs a notebook
    assert capsys.readouterr().err.splitlines() == [
        f"notebook: {added['Id']} on {cluster.cluster_id}",
        "follow with: fruits status",
    ]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file or directory; give a file of this machine (.ipynb)"),
        ("print(1)", "is not a notebook, for it is no JSON; give a file that Jupyter has saved"),
        ("[1]", "holds no cells; give a notebook that Jupyter has saved (.ipynb)"),
        ('{"nbformat": 3, "cells": []}', "is of notebook format 3, and format 4 is needed"),
    ],
)
def test_what_is_no_notebook_is_refused_before_aws_is_asked(tmp_path, content, sentence, capsys):
    file = tmp_path / "a.ipynb"
    if content is not None:
        file.write_text(content)
    assert cli.main(["submit", "--notebook", str(file)]) == 1
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("option", [["--serverless"], ["--max-cost", "1"]])
def test_what_is_about_a_run_of_the_chain_does_not_go_with_a_notebook(notebook, option, capsys):
    assert cli.main(["submit", "--notebook", str(notebook), *option]) == 1
    assert "leave --serverless and --max-cost out" in capsys.readouterr().err


def test_nothing_is_uploaded_for_a_cluster_that_has_ended(
    make_data_stack, make_compute_stack, s3, notebook, capsys
):
    make_data_stack()
    cluster = make_compute_stack()
    cluster.client.terminate_job_flows(JobFlowIds=[cluster.cluster_id])
    assert cli.main(["submit", "--notebook", str(notebook)]) == 1
    assert "make a new one with: fruits destroy, then fruits deploy" in capsys.readouterr().err
    assert keys_in(s3, RESULTS) == []
