"""A run on demand, executed: whatever fails, the cluster is ended and nothing stays that costs."""

import json

import pytest

from tests.infrastructure.state_machine import RUN_NAME, START, Machine, TaskError

LEFT = {"VpcEndpoints": [{"VpcEndpointId": "vpce-old"}]}
MADE = {"VpcEndpoints": [{"VpcEndpointId": "vpce-1"}, {"VpcEndpointId": "vpce-2"}]}
DOWN = ["Find clusters", "End clusters", "Find endpoints", "Delete endpoints"]
NAME = f"fruits-test-on-demand {RUN_NAME}"
STEPS = ["Featurize", "Reduce", "Report"]
HOUR_S = 3600


def definition_of(made):
    return json.loads(made.on_demand.only("AWS::StepFunctions::StateMachine")["DefinitionString"])


@pytest.fixture(scope="module")
def definition(made):
    return definition_of(made)


class Cloud:
    """AWS as a run sees it.  ``scripted`` has, by the name of a state, what happens instead.

    ``clusters`` are those that are up, names by id; they are listed in pages of two.
    """

    def __init__(self, clusters=None, **scripted):
        self.clusters = dict(clusters or {})
        self.scripted = {name.replace("_", " "): what for name, what in scripted.items()}

    def __call__(self, state, action, parameters):
        if state in self.scripted:
            what = self.scripted[state]
            what = what.pop(0) if isinstance(what, list) else what
            return what(self, parameters) if callable(what) else what
        match action.removeprefix("aws-sdk:").split(":")[-1]:
            case "listExecutions":
                return {"Executions": [{"Name": RUN_NAME}]}
            case "describeVpcEndpoints" if state == "Find endpoints left behind":
                return {"VpcEndpoints": []}
            case "describeVpcEndpoints":
                return MADE
            case "deleteVpcEndpoints":
                return {"Unsuccessful": []}
            case "createCluster":
                return self.make_cluster(parameters)
            case "listClusters":
                return self.list_clusters(parameters)
            case "terminateJobFlows":
                for cluster_id in parameters["JobFlowIds"]:
                    del self.clusters[cluster_id]
        return {}

    def make_cluster(self, parameters):
        cluster_id = f"j-{len(self.clusters) + 1}"
        self.clusters[cluster_id] = parameters["Name"]
        return {"ClusterId": cluster_id}

    def list_clusters(self, parameters):
        at = int(parameters.get("Marker", 0))
        page = list(self.clusters.items())[at : at + 2]
        more = {"Marker": str(at + 2)} if at + 2 < len(self.clusters) else {}
        return {"Clusters": [{"Id": each, "Name": name} for each, name in page], **more}


def run(definition, given=None, **scripted):
    return Machine(definition, Cloud(**scripted)).run(given)


def in_order(names, states):
    places = [states.index(name) for name in names]
    return places == sorted(places)


def test_a_run_makes_a_cluster_runs_the_steps_and_leaves_nothing(definition):
    ended = run(definition)
    assert ended.status == "SUCCEEDED"
    way = ["Make the EMR endpoint", "Make the KMS endpoint", "Create cluster", *STEPS, *DOWN]
    assert in_order([*way, "Tell the success"], ended.states)
    assert ended.called("terminateJobFlows") == [{"JobFlowIds": ["j-1"]}]
    assert ended.called("deleteVpcEndpoints") == [{"VpcEndpointIds": ["vpce-1", "vpce-2"]}]


def test_the_success_is_told_with_the_place_of_the_report(made, definition):
    (told,) = run(definition).called("publish")
    assert told["Message"].endswith(f" {made.data.outputs()['OutputUri']}/report/index.html")


def test_every_step_runs_on_the_cluster_of_the_run(definition):
    steps = run(definition).called("addStep")
    assert [step["Step"]["Name"] for step in steps] == ["featurize", "reduce", "report"]
    assert {step["ClusterId"] for step in steps} == {"j-1"}
    assert {step["Step"]["ActionOnFailure"] for step in steps} == {"CONTINUE"}


@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_fails_is_not_tried_again_and_the_cluster_is_ended(definition, step):
    ended = run(definition, **{step: TaskError("States.TaskFailed", "exit code 3")})
    assert ended.status == "FAILED"
    assert ended.states.count(step) == 1
    assert len(ended.called("addStep")) == STEPS.index(step) + 1
    assert in_order([step, *DOWN, "Tell the failure", "Failed"], ended.states)
    assert "exit code 3" in ended.cause


def test_the_notice_of_a_failure_names_state_run_and_command_and_no_photograph(definition):
    cause = "features of s3://raw/images/jane-doe/1.jpg"
    ended = run(definition, Reduce=TaskError("States.TaskFailed", cause))
    (told,) = ended.called("publish")
    assert told["Message"] == (
        "A run of Fruits! failed in the state Reduce. Run: run-1. What it had made has been ended. "
        "Look at the reason with: fruits status --on-demand"
    )
    assert cause in ended.cause


@pytest.mark.parametrize(
    ("state", "scripted"),
    [
        ("Count runs", {"Count runs": TaskError("Sfn.SfnException")}),
        ("Make the KMS endpoint", {"Make the KMS endpoint": TaskError("Ec2.Ec2Exception")}),
        ("Wait for endpoints", {"Look at endpoints": {"VpcEndpoints": []}}),
        ("Create cluster", {"Create cluster": TaskError("ElasticMapReduce.ValidationException")}),
        ("clean-up", {"Delete endpoints": TaskError("Ec2.Ec2Exception")}),
    ],
)
def test_the_state_that_failed_is_the_one_that_is_told(definition, state, scripted):
    (told,) = run(definition, **scripted).called("publish")
    assert told["Message"].startswith(f"A run of Fruits! failed in the state {state}. ")


def test_trouble_of_emr_with_a_request_is_waited_out(definition):
    busy = TaskError("ElasticMapReduce.ThrottlingException")
    making = [busy, Cloud.make_cluster]
    ended = run(definition, Featurize=[busy, busy, {}], Create_cluster=making)
    assert ended.status == "SUCCEEDED"
    assert ended.called("terminateJobFlows") == [{"JobFlowIds": ["j-1"]}]
    assert ended.elapsed_s >= 30 + 60 + 30


def test_a_cluster_that_cannot_be_made_is_not_ended_and_endpoints_go(definition):
    ended = run(definition, Create_cluster=TaskError("ElasticMapReduce.ValidationException"))
    assert ended.status == "FAILED"
    assert ended.called("terminateJobFlows") == []
    assert len(ended.called("deleteVpcEndpoints")) == 1


def test_a_cluster_whose_answer_was_lost_is_not_asked_for_again_and_is_ended(definition):
    def lost(cloud, parameters):
        cloud.make_cluster(parameters)
        return TaskError("ElasticMapReduce.AmazonElasticMapReduceException")

    ended = run(definition, Create_cluster=lost)
    assert ended.status == "FAILED"
    assert len(ended.called("createCluster")) == 1
    assert ended.called("terminateJobFlows") == [{"JobFlowIds": ["j-1"]}]
    assert in_order(["Wait for a cluster to show", *DOWN], ended.states)


def test_the_clusters_of_others_are_left_alone_on_every_page(definition):
    others = {f"j-other-{n}": f"fruits-test-on-demand run-{n}0" for n in range(5)}
    cloud = Cloud(clusters=others)
    ended = Machine(definition, cloud).run()
    assert ended.status == "SUCCEEDED"
    assert ended.called("terminateJobFlows") == [{"JobFlowIds": ["j-6"]}]
    assert cloud.clusters == others
    asked = ended.called("listClusters")
    assert {each["CreatedAfter"] for each in asked} == {START}
    assert [each.get("Marker") for each in asked] == [None, "2", "4", None, "2", "4"]


def test_a_cluster_that_does_not_end_is_told_and_outlived_by_the_endpoints(definition):
    ended = run(definition, End_clusters={})
    assert ended.status == "FAILED"
    assert in_order(["Clusters stay", "Wait for the idle policy", "Delete endpoints"], ended.states)
    assert "cluster could not be ended" in ended.called("publish")[0]["Message"]
    assert 0.5 * HOUR_S < ended.elapsed_s < 1.5 * HOUR_S


def test_the_cluster_of_a_run_bears_its_name_in_name_and_tag(definition):
    (asked,) = run(definition).called("createCluster")
    assert asked["Name"] == NAME
    assert {"Key": "fruits-run", "Value": RUN_NAME} in asked["Tags"]


def test_a_cluster_that_ends_while_it_starts_fails_the_first_step(definition):
    ended = run(definition, Featurize=TaskError("States.TaskFailed", "CANCELLED"))
    assert ended.called("terminateJobFlows") == [{"JobFlowIds": ["j-1"]}]
    assert ended.status == "FAILED"


@pytest.mark.parametrize("name", ["EMR", "KMS"])
def test_without_an_endpoint_there_is_no_cluster_and_the_other_goes(definition, name):
    failing = {f"Make the {name} endpoint": TaskError("Ec2.Ec2Exception")}
    ended = run(definition, **failing)
    assert ended.status == "FAILED"
    assert ended.called("createCluster") == []
    assert len(ended.called("deleteVpcEndpoints")) == 1


def test_endpoints_that_never_come_up_are_given_up(definition):
    ended = run(definition, **{"Look at endpoints": {"VpcEndpoints": MADE["VpcEndpoints"][:1]}})
    assert ended.status == "FAILED"
    assert 0.2 * HOUR_S < ended.elapsed_s < 0.5 * HOUR_S
    assert ended.called("createCluster") == []
    assert "did not become available" in ended.cause


def test_steps_that_take_too_long_are_cut_off_and_the_cluster_is_ended(make):
    ended = run(definition_of(make(run_timeout_hours=2)), Featurize=1.5 * HOUR_S, Reduce=HOUR_S)
    assert ended.status == "FAILED"
    assert in_order(["Reduce", *DOWN, "Failed"], ended.states)
    assert "Report" not in ended.states
    assert 2 * HOUR_S <= ended.elapsed_s < 2.1 * HOUR_S


@pytest.mark.parametrize("state", ["Find clusters", "End clusters"])
def test_where_the_cluster_cannot_be_ended_its_idle_policy_does_before_the_endpoints_go(
    definition, state
):
    ended = run(definition, **{state: TaskError("States.TaskFailed", "denied")})
    assert ended.status == "FAILED"
    assert in_order([state, "Wait for the idle policy", "Delete endpoints"], ended.states)
    assert definition["States"]["Wait for the idle policy"]["Seconds"] > 15 * 60
    assert "denied" in ended.cause


@pytest.mark.parametrize("first", [{}, {"Featurize": TaskError("States.TaskFailed", "first")}])
@pytest.mark.parametrize(
    "scripted",
    [
        {"Delete endpoints": TaskError("Ec2.Ec2Exception")},
        {"Find endpoints": TaskError("Ec2.Ec2Exception")},
        {"Delete endpoints": {"Unsuccessful": [{"ResourceId": "vpce-1"}]}},
    ],
)
def test_endpoints_that_stay_are_a_failure_and_told(definition, first, scripted):
    ended = run(definition, **first, **scripted)
    assert ended.status == "FAILED"
    assert "cost money by the hour" in ended.called("publish")[0]["Message"]
    assert ("first" in ended.cause) == bool(first)


def test_a_second_run_is_refused_and_touches_nothing_of_the_first(definition):
    two = {"Executions": [{"Name": "run-0"}, {"Name": RUN_NAME}]}
    ended = run(definition, Count_runs=two, Find_endpoints={"VpcEndpoints": []})
    assert ended.status == "FAILED"
    assert "another run is under way" in ended.cause
    assert not [name for name, _ in ended.calls if "create" in name or "delete" in name]
    assert ended.called("terminateJobFlows") == []


def test_a_run_deletes_its_own_endpoints_by_its_name(definition):
    filters = run(definition).called("describeVpcEndpoints")[-1]["Filters"]
    assert {"Name": "tag:fruits-run", "Values": [RUN_NAME]} in filters


def test_what_an_aborted_run_left_goes_when_its_idle_cluster_has_ended(definition):
    ended = run(definition, **{"Find endpoints left behind": LEFT})
    assert ended.status == "SUCCEEDED"
    assert ended.called("deleteVpcEndpoints")[0] == {"VpcEndpointIds": ["vpce-old"]}
    assert ended.states.count("Wait for the idle end") == 1
    # A run that began at the same moment would be seen now.
    assert ended.states.count("Count runs") == 2


def test_nobody_to_tell_changes_nothing(definition):
    silent = TaskError("SNS.NotFoundException")
    assert run(definition, Tell_the_success=silent).status == "SUCCEEDED"
    ended = run(definition, Tell_the_failure=silent, Report=TaskError("States.TaskFailed"))
    assert ended.status == "FAILED"


def test_what_an_execution_is_given_cannot_name_a_cluster(definition):
    failing = {"Count runs": TaskError("Sfn.SfnException")}
    ended = run(definition, {"cluster": {"ClusterId": "j-other"}, "failure": 1}, **failing)
    assert ended.called("terminateJobFlows") == []
