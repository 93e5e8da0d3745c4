"""The definition of a run as a graph: every way through it ends, and ends past the cleanup."""

import json
import re

import pytest

FIND, END, DELETE = "Find clusters", "End clusters", "Delete endpoints"
# Before them nothing has been made; after them nothing is left to clean up.
AFTER = {"Did all go well?", "Tell the success", "Tell the failure", "Done", "Failed"}


@pytest.fixture(scope="module")
def machine(made):
    return made.on_demand.only("AWS::StepFunctions::StateMachine")


@pytest.fixture(scope="module")
def states(machine):
    return json.loads(machine["DefinitionString"])["States"]


def nexts(state):
    """Return the states that may follow one, by whatever comes of it."""
    choices = [choice["Next"] for choice in state.get("Choices", [])]
    caught = [catcher["Next"] for catcher in state.get("Catch", [])]
    plain = [state[key] for key in ("Next", "Default") if key in state]
    return {*choices, *caught, *plain}


def reachable(states, start, without=frozenset()):
    seen, left = set(), [start]
    while left:
        name = left.pop()
        if name not in seen and name not in without:
            seen.add(name)
            left += nexts(states[name])
    return seen


def tasks_of(states):
    return {name: state for name, state in states.items() if state["Type"] == "Task"}


def test_every_task_catches_all_that_can_be_caught(states):
    for state in tasks_of(states).values():
        assert [catcher["ErrorEquals"] for catcher in state["Catch"]] == [["States.ALL"]]


def test_every_state_is_reached_and_leads_to_an_end(machine, states):
    start = json.loads(machine["DefinitionString"])["StartAt"]
    assert reachable(states, start) == states.keys()
    for name in states:
        assert reachable(states, name) & {"Done", "Failed"}


def test_a_failure_leads_past_the_deletion_of_the_endpoints_to_the_end(states):
    for name, state in tasks_of(states).items():
        if name in AFTER | {DELETE, "Find endpoints"}:
            continue
        (caught,) = state["Catch"]
        # Without the state that looks for endpoints there is no way round it.
        assert not reachable(states, caught["Next"], {"Find endpoints"}) & {"Done", "Failed"}


def test_once_a_cluster_may_be_there_every_way_looks_for_it(states):
    on_the_cluster = [name for name in states if name in ("Featurize", "Reduce", "Report")]
    assert len(on_the_cluster) == 3
    for name in ("Create cluster", *on_the_cluster):
        assert not reachable(states, name, {FIND}) & {"Done", "Failed", "Find endpoints"}


def test_the_way_from_a_cluster_that_is_up_to_the_endpoints_ends_it_or_waits_for_its_policy(states):
    choice = states["Are clusters up?"]
    in_order = [*(rule["Next"] for rule in choice["Choices"]), choice["Default"]]
    assert in_order == ["Clusters stay", END, FIND, "Find endpoints"]
    assert nexts(states["Clusters stay"]) == {"Wait for the idle policy"}
    assert nexts(states[END]) == {"Wait for the end of clusters", "Wait for the idle policy"}
    assert nexts(states[FIND]) == {"Are clusters up?", "Wait for the idle policy"}


def test_the_cluster_is_ended_before_its_endpoints_go(states):
    assert not {FIND, END} & reachable(states, "Find endpoints")
    assert "Find endpoints" in reachable(states, END)


def test_only_a_request_that_made_nothing_is_sent_again_for_a_cluster(states):
    """Any other failure may have made one: a second request would make another."""
    (retrier,) = states["Create cluster"]["Retry"]
    assert retrier["ErrorEquals"] == ["ElasticMapReduce.ThrottlingException"]


def test_a_failure_cannot_end_as_a_success(states):
    (rule,) = states["Did all go well?"]["Choices"]
    assert (rule["Variable"], rule["IsPresent"]) == ("$.failure", True)
    assert "Done" not in reachable(states, rule["Next"])
    kept = [
        catcher.get("ResultPath") or catcher["Output"]
        for name, state in tasks_of(states).items()
        if name not in AFTER
        for catcher in state["Catch"]
    ]
    assert all(re.match(r"\$\.failure\b|\{% .*'failure':", where) for where in kept)


def test_loops_wait_and_are_counted(states):
    """A state that can come back to itself passes a wait, and a limit."""
    for name in states:
        again = set().union(*(reachable(states, each) for each in nexts(states[name])), set())
        if name in again:
            counted = {"Wait for endpoints", "Has waited", "Are clusters up?"}
            assert name not in reachable_in_loop(states, name, counted)


def reachable_in_loop(states, name, without):
    return set().union(*(reachable(states, each, without) for each in nexts(states[name])), set())


def test_featurize_s_own_refusals_are_not_tried_again(states):
    for name in ("Featurize", "Reduce", "Report"):
        errors = {e for retrier in states[name]["Retry"] for e in retrier["ErrorEquals"]}
        assert errors
        assert all(error.startswith("ElasticMapReduce.") for error in errors)


def test_the_execution_outlives_the_time_for_its_steps(make):
    machine = make(run_timeout_hours=2, idle_timeout_minutes=60).on_demand.only(
        "AWS::StepFunctions::StateMachine"
    )
    definition = json.loads(machine["DefinitionString"])
    assert "/ 1000 + 7200)" in definition["States"]["Time left for report"]["Output"]
    assert definition["TimeoutSeconds"] > 7200 + 2 * 70 * 60 + 3600


def test_each_step_ends_where_the_time_does(states):
    for name in ("Featurize", "Reduce", "Report"):
        assert states[name]["TimeoutSecondsPath"] == "$.seconds_left"
        assert nexts(states[f"Time left for {name.lower()}"]) == {name}


def test_everything_is_logged_but_what_the_states_are_given(machine):
    logging = machine["LoggingConfiguration"]
    assert logging["Level"] == "ALL"
    assert logging["IncludeExecutionData"] is False
    assert machine["TracingConfiguration"] == {"Enabled": True}
