"""The preflight's checks: each finding, with its sentence and its command."""

import pytest

from cdk_app.cluster.definition import RELEASE_LABEL, define_cluster
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE, S3_PREFIX_LIST
from operations.cdk.configuration import read_config
from operations.preflight.account_checks import (
    BOOTSTRAP_VERSION,
    StackState,
    Toolkit,
    check_bootstrap,
    check_budget,
    check_credentials,
    check_notices,
    check_plan,
    check_stack,
)
from operations.preflight.finding import Computing, Level
from operations.preflight.quota_checks import (
    RunningInstance,
    check_on_demand_quota,
    check_serverless_quota,
    check_spot_quota,
    check_vpc_quota,
)
from operations.preflight.region_checks import (
    check_endpoint_services,
    check_instance_types,
    check_prefix_list,
    check_release,
    check_supported_types,
    instance_types,
)

ACCOUNT, OTHER = "123456789012", "111122223333"
ZONE = "eu-central-1a"
ZONES = frozenset({ZONE, "eu-central-1b"})
TYPES = {"m7g.xlarge": ZONES, "m6g.xlarge": ZONES}
OWN_KEY, AWS_KEY = Toolkit("hnb659fds", ""), Toolkit("hnb659fds", "AWS_MANAGED_KEY")
ELSEWHERE = "-c availability_zone=eu-central-1b"


def configured(*words):
    return read_config(words)


def fleets(*words):
    config = configured(*words)
    return define_cluster(config, name="", bootstrap_uri="", bootstrap_arguments=()).fleets


def running(n_vcpus, instance_type="m5.xlarge", *, on_spot=False, is_own=False):
    return RunningInstance(instance_type, n_vcpus, on_spot, is_own)


def on_demand(*words, quota=32, instances=()):
    return check_on_demand_quota(fleets(*words), quota, instances)


# The account


def test_credentials_are_compared_with_the_configured_account():
    assert check_credentials(configured(), ACCOUNT).sentence == "valid; the region is eu-central-1"
    seen = check_credentials(configured(f"account={ACCOUNT}"), ACCOUNT)
    assert seen.level is Level.OK
    assert "for the configured account" in seen.sentence
    refused = check_credentials(configured(f"account={OTHER}"), ACCOUNT)
    assert refused.level is Level.FAILED
    assert "the credentials are for another account than the deployment" in refused.sentence
    assert not any(number in str(refused) for number in (ACCOUNT, OTHER))


def test_the_free_plan_stops_a_cluster_and_warns_of_serverless():
    upgrade = "aws freetier upgrade-account-plan --region us-east-1 --account-plan-type PAID"
    cluster = check_plan(Computing.COMPUTE, is_free=True)
    assert (cluster.level, cluster.fix) == (Level.FAILED, upgrade)
    assert "starts no instance type that EMR takes" in cluster.sentence
    serverless = check_plan(Computing.SERVERLESS, is_free=True)
    assert (serverless.level, serverless.fix) == (Level.WARNING, upgrade)
    assert check_plan(Computing.COMPUTE, is_free=False).level is Level.OK


def test_a_budget_that_aws_refuses_can_be_left_out():
    seen = check_budget(is_allowed=False)
    assert (seen.level, seen.fix) == (Level.FAILED, "-c budget_usd_per_month=0")
    assert check_budget(is_allowed=True).level is Level.OK


@pytest.mark.parametrize(
    ("status", "has_ended", "level", "words"),
    [
        ("CREATE_COMPLETE", False, Level.OK, "CREATE_COMPLETE"),
        ("REVIEW_IN_PROGRESS", False, Level.OK, "no compute stack yet"),
        ("ROLLBACK_COMPLETE", False, Level.OK, "ROLLBACK_COMPLETE"),
        ("UPDATE_ROLLBACK_FAILED", False, Level.FAILED, "a deployment cannot mend"),
        ("DELETE_FAILED", False, Level.FAILED, "a deployment cannot mend"),
        ("CREATE_COMPLETE", True, Level.FAILED, "the cluster of the stack has ended"),
    ],
)
def test_a_stack_that_cannot_be_deployed_on_is_to_be_destroyed_first(
    status, has_ended, level, words
):
    config = configured("environment=prod")
    seen = check_stack(config, Computing.COMPUTE, StackState(status, has_ended))
    assert seen.level is level
    assert words in seen.sentence
    assert seen.fix == ("fruits destroy --environment prod" if level is Level.FAILED else "")


def test_a_stack_that_changes_is_waited_for_and_each_stack_has_its_command():
    failed = check_stack(configured(), Computing.SERVERLESS, StackState("DELETE_FAILED"))
    assert failed.fix == "fruits destroy --stack serverless"
    changing = check_stack(configured(), Computing.COMPUTE, StackState("DELETE_IN_PROGRESS"))
    assert (changing.level, changing.fix) == (Level.FAILED, "")
    assert check_stack(configured(), Computing.COMPUTE, None).level is Level.OK


@pytest.mark.parametrize(
    ("version", "toolkit", "words", "fix"),
    [
        (None, None, "not ready for the CDK in Frankfurt", "fruits bootstrap"),
        (
            None,
            Toolkit("team", ""),
            "qualifier team, and the templates expect hnb659fds",
            "fruits bootstrap -- --qualifier hnb659fds --toolkit-stack-name CDKToolkitFruits",
        ),
        (BOOTSTRAP_VERSION - 1, AWS_KEY, f"version {BOOTSTRAP_VERSION - 1}", "fruits bootstrap"),
        (
            BOOTSTRAP_VERSION,
            OWN_KEY,
            "customer key, which nodes and jobs may not use",
            "fruits bootstrap -- --no-bootstrap-customer-key",
        ),
        (BOOTSTRAP_VERSION, AWS_KEY, f"version {BOOTSTRAP_VERSION}", ""),
        (BOOTSTRAP_VERSION + 9, None, f"at least {BOOTSTRAP_VERSION}", ""),
        # A stack of that name with another qualifier: the templates' own cannot be read.
        (BOOTSTRAP_VERSION, Toolkit("team", ""), "version", ""),
    ],
)
def test_the_bootstrap_has_to_be_new_enough_and_without_a_customer_key(
    version, toolkit, words, fix
):
    seen = check_bootstrap(version, toolkit)
    assert (seen.level, seen.fix) == (Level.FAILED if fix else Level.OK, fix)
    assert words in seen.sentence


@pytest.mark.parametrize(
    ("address", "has_confirmed", "level", "words"),
    [
        ("", None, Level.WARNING, "no address for failures, idle clusters and cost"),
        ("someone@example.org", None, Level.OK, "AWS will ask"),
        ("someone@example.org", False, Level.WARNING, "confirm the e-mail that AWS sent"),
        ("someone@example.org", True, Level.OK, "has confirmed"),
    ],
)
def test_an_address_has_to_be_set_and_confirmed_and_is_not_printed(
    address, has_confirmed, level, words
):
    config = configured(f"alarm_email={address}")
    seen = check_notices(config, has_confirmed=has_confirmed)
    assert seen.level is level
    assert words in seen.sentence
    assert "someone" not in str(seen)
    assert bool(seen.fix) == (not address)


# The quotas


def test_primary_and_core_nodes_count_on_demand_and_task_nodes_on_spot():
    seen = on_demand(quota=16)
    assert (seen.level, seen.fix) == (Level.OK, "")
    assert seen.sentence == (
        "8 vCPUs are needed, 8 more without Spot capacity; 16 of 16 vCPUs are free"
    )
    spot = check_spot_quota(fleets(), 8, ())
    assert spot.sentence == "8 vCPUs are needed; 8 of 8 vCPUs are free"
    large = on_demand("n_core_nodes=3", "worker_instance_type=m7g.4xlarge", quota=500)
    assert large.sentence.startswith("52 vCPUs are needed, 32 more")


@pytest.mark.parametrize("quota", [0, 5, 7])
def test_a_quota_below_the_need_fails_with_the_request_for_an_increase(quota):
    seen = on_demand(quota=quota)
    assert seen.level is Level.FAILED
    assert f"8 vCPUs are needed, and {quota} of {quota} vCPUs are free" in seen.sentence
    assert "-c n_task_nodes=0" in seen.sentence
    assert seen.fix == (
        "aws service-quotas request-service-quota-increase --region eu-central-1 "
        "--service-code ec2 --quota-code L-1216C47A --desired-value 8"
    )
    spot = check_spot_quota(fleets(), quota, ())
    assert spot.fix.endswith("L-34B43A08 --desired-value 8")


@pytest.mark.parametrize(("quota", "level"), [(15, Level.WARNING), (16, Level.OK)])
def test_task_nodes_fall_back_to_on_demand_if_the_quota_allows(quota, level):
    seen = on_demand(quota=quota)
    assert seen.level is level
    if level is Level.WARNING:
        assert "their 8 more do not fit" in seen.sentence
        assert seen.fix.endswith("--desired-value 16")
    alone = on_demand("n_task_nodes=0", quota=8)
    assert alone.sentence == "8 vCPUs are needed; 8 of 8 vCPUs are free"


def test_other_instances_are_subtracted():
    seen = on_demand(quota=16, instances=(running(4), running(6)))
    assert seen.level is Level.FAILED
    assert "8 vCPUs are needed, and 6 of 16 vCPUs are free" in seen.sentence
    assert seen.fix.endswith("--desired-value 18")


@pytest.mark.parametrize(
    ("instance", "n_free"),
    [
        *((running(8, f"{family}.2xlarge"), 24) for family in ("m7g", "c7gn", "im4gn", "t3")),
        *(
            (running(8, f"{family}.2xlarge"), 32)
            for family in ("inf2", "hpc7g", "g5", "trn1", "dl1", "x2gd")
        ),
        (running(8, "m7g.2xlarge", on_spot=True), 32),
    ],
)
def test_only_standard_instances_of_the_market_count(instance, n_free):
    assert f"{n_free} of 32 vCPUs are free" in on_demand(instances=(instance,)).sentence


def test_a_cluster_that_would_be_replaced_is_a_warning_at_most():
    own = (running(8, is_own=True),)
    seen = on_demand("n_task_nodes=0", quota=15, instances=own)
    assert (seen.level, seen.fix) == (Level.WARNING, "fruits destroy")
    assert "starts the new one first, which would not fit" in seen.sentence
    assert on_demand("n_task_nodes=0", quota=16, instances=own).level is Level.OK


def test_there_has_to_be_room_for_one_more_vpc():
    assert check_vpc_quota(5, n_others=4).level is Level.OK
    seen = check_vpc_quota(5, n_others=5)
    assert seen.level is Level.FAILED
    assert "1 VPC is needed, and 5 others use up the quota of 5" in seen.sentence
    assert seen.fix.endswith("--service-code vpc --quota-code L-F678F1CE --desired-value 6")


def test_serverless_has_to_be_allowed_the_vcpus_of_a_run():
    assert check_serverless_quota(16, 16).level is Level.OK
    seen = check_serverless_quota(40, 17)
    assert seen.level is Level.FAILED
    assert "40 vCPUs at most, and the quota is 17" in seen.sentence
    assert "-c serverless_max_vcpus=16" in seen.sentence
    assert seen.fix.endswith(
        "--service-code emr-serverless --quota-code L-D05C8A75 --desired-value 40"
    )


# Region and zone


def test_the_types_are_all_that_emr_is_requested():
    assert instance_types(fleets()) == ["m6g.xlarge", "m7g.xlarge"]
    # Equivalents of a worker are requested on Spot alone.
    assert instance_types(fleets("n_task_nodes=0")) == ["m7g.xlarge"]


def test_types_that_the_zone_offers_pass():
    seen = check_instance_types(configured(), [*TYPES], TYPES)
    assert seen.level is Level.OK
    assert seen.sentence == f"{ZONE} offers m7g.xlarge and m6g.xlarge"


def test_a_type_that_the_zone_lacks_fails_with_a_zone_that_has_all():
    zones = TYPES | {"m6g.xlarge": frozenset({"eu-central-1b"})}
    seen = check_instance_types(configured(), [*TYPES], zones)
    assert (seen.level, seen.fix) == (Level.FAILED, ELSEWHERE)
    assert f"{ZONE} does not offer m6g.xlarge" in seen.sentence


@pytest.mark.parametrize("zones", [{}, {"m7g.xlarge": frozenset({"eu-central-1d"})}])
def test_types_that_no_allowed_zone_has_are_to_be_replaced(zones):
    seen = check_instance_types(configured(), ["m7g.xlarge"], zones)
    assert seen.level is Level.FAILED
    assert "choose other types" in seen.sentence
    assert "-c worker_instance_type=" in seen.fix


def test_a_type_that_the_release_does_not_support_fails():
    assert check_supported_types([*TYPES], frozenset(TYPES)).level is Level.OK
    seen = check_supported_types([*TYPES], frozenset({"m6g.xlarge"}))
    assert seen.level is Level.FAILED
    assert seen.sentence.startswith(f"{RELEASE_LABEL} does not support m7g.xlarge; choose")
    assert seen.fix.startswith("aws emr list-supported-instance-types --region eu-central-1 ")


def test_both_endpoint_services_have_to_be_in_the_zone():
    zones = {EMR_CELL_SERVICE: ZONES, KMS_SERVICE: ZONES}
    assert check_endpoint_services(configured(), zones).level is Level.OK
    moved = check_endpoint_services(
        configured(), zones | {EMR_CELL_SERVICE: frozenset({"eu-central-1b"})}
    )
    assert (moved.level, moved.fix) == (Level.FAILED, ELSEWHERE)
    assert f"{ZONE} has no endpoint service {EMR_CELL_SERVICE}" in moved.sentence
    renamed = check_endpoint_services(configured(), {KMS_SERVICE: ZONES})
    assert renamed.level is Level.FAILED
    assert "cdk_app/endpoint_services.py" in renamed.sentence
    assert renamed.fix.startswith("aws ec2 describe-vpc-endpoint-services ")


@pytest.mark.parametrize(("found", "words"), [(None, "does not exist"), ("pl-1", "is pl-1")])
def test_the_rules_have_to_name_the_prefix_list_of_s3(found, words):
    assert check_prefix_list(S3_PREFIX_LIST).level is Level.OK
    seen = check_prefix_list(found)
    assert seen.level is Level.FAILED
    assert f"com.amazonaws.eu-central-1.s3 {words}, and the templates name pl-" in seen.sentence
    assert "cdk_app/endpoint_services.py" in seen.sentence


def test_the_release_has_to_be_offered_with_spark():
    seen = check_release("4.1.1")
    assert seen.level is Level.OK
    assert seen.sentence == f"eu-central-1 offers {RELEASE_LABEL}, with Spark 4.1.1"
    refused = check_release(None)
    assert refused.level is Level.FAILED
    assert "RELEASE_LABEL in cdk_app/cluster/definition.py" in " ".join(refused.sentence.split())
    assert refused.fix.startswith("aws emr list-release-labels --region eu-central-1 ")
