"""`fruits submit`, on a cluster that moto pretends to run."""

import json

import pytest

from operations import cli
from operations.aws.clusters import Step, StepsProgress, describe_cluster
from operations.aws.step_logs import StepLog
from operations.commands import follow_steps, submit
from operations.costs.cluster_costs import default_cluster
from operations.costs.run_costs import estimate_run
from tests.moto_server import make_stack
from tests.operations.aws.conftest import RAW, STEPS


def test_the_deployed_steps_are_added_in_their_order(make_compute_stack, capsys):
    cluster = make_compute_stack()
    assert cli.main(["submit"]) == 0
    added = cluster.client.list_steps(ClusterId=cluster.cluster_id)["Steps"]
    ids = {step["Name"]: step["Id"] for step in added}
    assert len(added) == 3
    for step in STEPS:
        told = cluster.client.describe_step(ClusterId=cluster.cluster_id, StepId=ids[step["name"]])
        assert told["Step"]["Config"]["Jar"] == "command-runner.jar"
        assert told["Step"]["Config"]["Args"] == step["arguments"]
        assert told["Step"]["ActionOnFailure"] == "CANCEL_AND_WAIT"
    assert capsys.readouterr().err.splitlines() == [
        *(f"{step['name']}: {ids[step['name']]} on {cluster.cluster_id}" for step in STEPS),
        "follow with: fruits status",
    ]


def test_the_steps_can_be_added_again(make_compute_stack):
    cluster = make_compute_stack()
    assert cli.main(["submit"]) == cli.main(["submit"]) == 0
    assert len(cluster.client.list_steps(ClusterId=cluster.cluster_id)["Steps"]) == 6


@pytest.mark.parametrize(("state", "exit_code"), [("COMPLETED", 0), ("FAILED", 1)])
def test_the_steps_can_be_followed_to_their_end(
    state, exit_code, make_compute_stack, monkeypatch, capsys
):
    """moto runs no step: what follows is told that all of them, or the first, have ended."""
    make_compute_stack()
    asked = []

    def follow(observe, *, interval_s, only_once):
        asked.append((interval_s, only_once))
        return observe()

    def read_progress(emr, cluster_id, step_ids):
        asked.append(len(step_ids))
        later = state if state == "COMPLETED" else "CANCELLED"
        states = dict(zip(step_ids, (state, later, later), strict=True))
        steps = [Step(i, "a step", s, "", None, None) for i, s in states.items()]
        return StepsProgress(describe_cluster(emr, cluster_id), tuple(steps))

    monkeypatch.setattr(follow_steps, "follow", follow)
    monkeypatch.setattr(follow_steps, "read_progress", read_progress)
    monkeypatch.setattr(follow_steps, "last_lines", lambda *_, **__: StepLog("s3://logs/x", None))
    assert cli.main(["submit", "--follow", "--interval-seconds", "3"]) == exit_code
    assert asked == [(3.0, False), 3]
    assert "follow with" not in capsys.readouterr().err


@pytest.mark.parametrize(("max_cost", "n_steps"), [("0.000001", 0), ("1000", 3)])
def test_a_run_above_the_cap_is_not_submitted(
    max_cost, n_steps, make_data_stack, make_compute_stack, s3, monkeypatch, capsys
):
    make_data_stack()
    cluster = make_compute_stack()
    s3.put_object(Bucket=RAW, Key="images/a.jpg", Body=b"photograph")
    # moto has no nodes to count.
    monkeypatch.setattr(
        submit, "estimate_on_cluster", lambda *_: lambda work: estimate_run(work, default_cluster())
    )
    assert cli.main(["submit", "--max-cost", max_cost]) == (0 if n_steps else 1)
    added = cluster.client.list_steps(ClusterId=cluster.cluster_id)["Steps"]
    assert len(added) == n_steps
    assert ("USD" in capsys.readouterr().err) == (n_steps == 0)


@pytest.mark.usefixtures("aws")
def test_without_a_cluster_the_command_that_makes_one_is_named(capsys):
    assert cli.main(["submit"]) == 1
    assert capsys.readouterr().err == (
        "fruits: there is no cluster in the test environment; make one with: fruits deploy\n"
    )


def test_a_cluster_that_has_ended_takes_no_steps(make_compute_stack, capsys):
    cluster = make_compute_stack()
    cluster.client.terminate_job_flows(JobFlowIds=[cluster.cluster_id])
    assert cli.main(["submit"]) == 1
    told = capsys.readouterr().err
    assert told.startswith(
        f"fruits: the cluster {cluster.cluster_id} has ended, as it does when it has been idle: "
        "TERMINATED"
    )
    assert told.endswith("make a new one with: fruits destroy, then fruits deploy\n")
    assert cluster.client.list_steps(ClusterId=cluster.cluster_id)["Steps"] == []


@pytest.mark.parametrize("text", ["{", "[1]", '{"name": "x"}', json.dumps([{"name": "x"}])])
def test_a_parameter_that_holds_no_steps_is_refused(text, make_compute_stack, capsys):
    make_compute_stack(steps=text)
    assert cli.main(["submit"]) == 1
    assert (
        "fruits: the parameter /fruits/test/steps does not hold the steps of the chain"
        in capsys.readouterr().err
    )


@pytest.mark.usefixtures("aws")
def test_a_stack_without_its_outputs_is_told_with_its_state(capsys):
    make_stack("fruits-test-compute", {"B": {"Type": "AWS::S3::Bucket"}}, {"ClusterId": "j-1"})
    assert cli.main(["submit"]) == 1
    assert (
        "fruits: the stack fruits-test-compute is in the state CREATE_COMPLETE and has no output "
        "StepsParameterName; wait until it is complete" in capsys.readouterr().err
    )


@pytest.mark.usefixtures("aws")
def test_stacks_are_read_in_the_region_of_the_project_alone(capsys):
    make_stack(
        "fruits-test-compute",
        {"B": {"Type": "AWS::S3::Bucket"}},
        {"ClusterId": "j-1"},
        region="us-east-1",
    )
    assert cli.main(["submit"]) == 1
    assert "there is no cluster in the test environment" in capsys.readouterr().err
