"""The preflight's checks of the quotas: what the cluster takes, against what is left."""

import pytest

from operations.preflight.capacity import check_on_demand_quota, check_spot_quota
from operations.preflight.facts import Computing, Unanswered
from operations.preflight.outcomes import Level
from tests.operations.preflight_facts import configured, facts, fleets_of, running

COMPUTE, ON_DEMAND = Computing.COMPUTE, Computing.ON_DEMAND
DENIED = Unanswered("AWS denies you ec2:DescribeInstances; ask for that right")


def on_demand(*words, stack=COMPUTE, **changed):
    return check_on_demand_quota(stack, fleets_of(configured(*words)), facts(**changed))


def on_spot(*words, stack=COMPUTE, **changed):
    return check_spot_quota(stack, fleets_of(configured(*words)), facts(**changed))


def test_primary_and_core_nodes_count_on_demand_and_task_nodes_on_spot():
    seen = on_demand(on_demand_quota=16)
    assert (seen.level, seen.fix) == (Level.OK, "")
    assert seen.sentence == (
        "8 vCPUs are needed, and 8 more if there is no Spot; of 16 vCPUs 16 are free"
    )
    assert on_spot(spot_quota=8).sentence == "8 vCPUs are needed; of 8 vCPUs 8 are free"
    large = on_demand("n_core_nodes=3", "worker_instance_type=m7g.4xlarge", on_demand_quota=500)
    assert large.sentence.startswith("52 vCPUs are needed, and 32 more")


@pytest.mark.parametrize("quota", [0, 5, 7])
@pytest.mark.parametrize("stack", [COMPUTE, ON_DEMAND])
def test_a_quota_below_the_need_fails_whatever_runs(quota, stack):
    seen = on_demand(stack=stack, on_demand_quota=quota)
    assert seen.level is Level.FAILED
    assert f"8 vCPUs are needed, and the quota is {quota}" in seen.sentence
    assert 'CDK_OPTIONS="-c n_task_nodes=0"' in seen.sentence
    assert seen.fix == (
        "aws service-quotas request-service-quota-increase --region eu-central-1 "
        "--service-code ec2 --quota-code L-1216C47A --desired-value 8"
    )
    assert on_spot(stack=stack, spot_quota=quota).fix.endswith("L-34B43A08 --desired-value 8")


@pytest.mark.parametrize(("quota", "level"), [(15, Level.WARNING), (16, Level.OK)])
def test_spot_falls_back_to_on_demand_where_that_takes_the_task_nodes_too(quota, level):
    seen = on_demand(on_demand_quota=quota)
    assert seen.level is level
    if level is Level.WARNING:
        assert "their 8 more do not fit" in seen.sentence
        assert seen.fix.endswith("--desired-value 16")


def test_without_task_nodes_nothing_falls_back():
    seen = on_demand("n_task_nodes=0", on_demand_quota=8)
    assert (seen.level, seen.sentence) == (
        Level.OK,
        "8 vCPUs are needed; of 8 vCPUs 8 are free",
    )


def test_what_else_runs_is_taken_off():
    seen = on_demand(on_demand_quota=16, running=(running(4), running(6)))
    assert seen.level is Level.FAILED
    assert "8 vCPUs are needed, and of 16 vCPUs 6 are free" in seen.sentence
    assert seen.fix.endswith("--desired-value 18")


def test_a_run_on_demand_comes_later_so_that_what_runs_now_only_warns():
    seen = on_demand(stack=ON_DEMAND, on_demand_quota=16, running=(running(10),))
    assert seen.level is Level.WARNING
    assert "8 vCPUs are needed by a run" in seen.sentence


@pytest.mark.parametrize(
    ("instance", "n_free"),
    [
        (running(8, "m7g.2xlarge"), 24),
        (running(8, "c7gn.2xlarge"), 24),
        (running(8, "im4gn.2xlarge"), 24),
        (running(8, "t3.2xlarge"), 24),
        (running(8, "inf2.8xlarge"), 32),
        (running(8, "hpc7g.4xlarge"), 32),
        (running(8, "g5.2xlarge"), 32),
        (running(8, "trn1.2xlarge"), 32),
        (running(8, "dl1.24xlarge"), 32),
        (running(8, "x2gd.2xlarge"), 32),
        (running(8, "m7g.2xlarge", on_spot=True), 32),
    ],
)
def test_only_standard_instances_of_the_market_count(instance, n_free):
    assert f"of 32 vCPUs {n_free} are free" in on_demand(running=(instance,)).sentence


def test_a_cluster_that_would_be_replaced_is_a_warning_at_most():
    own = (running(8, is_own=True),)
    seen = on_demand("n_task_nodes=0", on_demand_quota=15, running=own)
    assert (seen.level, seen.fix) == (Level.WARNING, "make destroy")
    assert "starts the new one first, which would not fit" in seen.sentence
    assert on_demand("n_task_nodes=0", on_demand_quota=16, running=own).level is Level.OK
    # A run on demand waits for the one before it.
    later = on_demand("n_task_nodes=0", stack=ON_DEMAND, on_demand_quota=8, running=own)
    assert later.level is Level.OK


def test_what_cannot_be_asked_is_a_warning():
    for seen in (
        on_demand(on_demand_quota=DENIED),
        on_demand(running=DENIED),
        on_spot(spot_quota=DENIED),
    ):
        assert seen.level is Level.WARNING
        assert seen.sentence == f"not checked: {DENIED.reason}"
