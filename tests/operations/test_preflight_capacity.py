"""The preflight's checks of the quotas: what the cluster takes, against what is left."""

import pytest

from operations.preflight.capacity import (
    check_on_demand_quota,
    check_serverless_quota,
    check_spot_quota,
    check_vpc_quota,
)
from operations.preflight.facts import Unanswered
from operations.preflight.outcomes import Level
from tests.operations.preflight_facts import (
    cluster_facts,
    configured,
    fleets_of,
    running,
    serverless_facts,
)

DENIED = Unanswered("AWS denies you ec2:DescribeInstances; ask for that right")


def on_demand(*words, **changed):
    return check_on_demand_quota(fleets_of(configured(*words)), cluster_facts(**changed))


def on_spot(*words, **changed):
    return check_spot_quota(fleets_of(configured(*words)), cluster_facts(**changed))


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
def test_a_quota_below_the_need_fails_whatever_runs(quota):
    seen = on_demand(on_demand_quota=quota)
    assert seen.level is Level.FAILED
    assert f"8 vCPUs are needed, and the quota is {quota}" in seen.sentence
    assert 'CDK_OPTIONS="-c n_task_nodes=0"' in seen.sentence
    assert seen.fix == (
        "aws service-quotas request-service-quota-increase --region eu-central-1 "
        "--service-code ec2 --quota-code L-1216C47A --desired-value 8"
    )
    assert on_spot(spot_quota=quota).fix.endswith("L-34B43A08 --desired-value 8")


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


def test_what_cannot_be_asked_is_a_warning():
    for seen in (
        on_demand(on_demand_quota=DENIED),
        on_demand(running=DENIED),
        on_spot(spot_quota=DENIED),
    ):
        assert seen.level is Level.WARNING
        assert seen.sentence == f"not checked: {DENIED.reason}"


@pytest.mark.parametrize(("n_others", "level"), [(4, Level.OK), (5, Level.FAILED)])
def test_there_has_to_be_room_for_one_more_vpc(n_others, level):
    seen = check_vpc_quota(cluster_facts(n_other_vpcs=n_others))
    assert seen.level is level
    if level is Level.FAILED:
        assert "1 VPC is needed, and the other 5 use up the quota of 5" in seen.sentence
        assert seen.fix.endswith("--service-code vpc --quota-code L-F678F1CE --desired-value 6")


def test_serverless_has_to_be_allowed_the_vcpus_of_a_run():
    assert check_serverless_quota(16, serverless_facts()).level is Level.OK
    seen = check_serverless_quota(40, serverless_facts(quota=17))
    assert seen.level is Level.FAILED
    assert "up to 40 vCPUs, and the quota is 17" in seen.sentence
    assert 'CDK_OPTIONS="-c serverless_max_vcpus=16"' in seen.sentence
    assert seen.fix.endswith(
        "--service-code emr-serverless --quota-code L-D05C8A75 --desired-value 40"
    )


def test_quotas_that_cannot_be_asked_are_a_warning():
    assert check_vpc_quota(cluster_facts(vpc_quota=DENIED)).level is Level.WARNING
    assert check_vpc_quota(cluster_facts(n_other_vpcs=DENIED)).level is Level.WARNING
    assert check_serverless_quota(16, serverless_facts(quota=DENIED)).level is Level.WARNING
