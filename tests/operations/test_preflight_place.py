"""The preflight's checks of region and zone: what EMR will be asked for has to be there."""

import pytest

from cdk_app.cluster.definition import RELEASE_LABEL
from cdk_app.endpoint_services import EMR_CELL_SERVICE, KMS_SERVICE
from operations.preflight.facts import Unanswered
from operations.preflight.outcomes import Level
from operations.preflight.place import (
    check_endpoint_services,
    check_instance_types,
    check_prefix_list,
    check_release,
    instance_types,
)
from tests.operations.preflight_facts import (
    READY_FOR_CLUSTER,
    ZONE,
    ZONES,
    cluster_facts,
    configured,
    facts,
    fleets_of,
)

DENIED = Unanswered("AWS denies you x:Y; ask for that right, or use another profile")
ELSEWHERE = 'CDK_OPTIONS="-c availability_zone=eu-central-1b"'


def types_checked(zones_by_type, *words):
    config = configured(*words)
    return check_instance_types(
        config, fleets_of(config), cluster_facts(zones_by_type=zones_by_type)
    )


def services_checked(zones_by_service):
    return check_endpoint_services(configured(), cluster_facts(zones_by_service=zones_by_service))


def test_the_types_are_all_that_emr_is_asked_for():
    assert instance_types(fleets_of(configured())) == ["m6g.xlarge", "m7g.xlarge"]
    # What stands in for a worker is asked for on Spot alone.
    assert instance_types(fleets_of(configured("n_task_nodes=0"))) == ["m7g.xlarge"]


def test_types_that_the_zone_has_are_named():
    seen = types_checked(READY_FOR_CLUSTER.zones_by_type)
    assert seen.level is Level.OK
    assert seen.sentence == (
        f"m6g.xlarge and m7g.xlarge are offered in {ZONE}, and {RELEASE_LABEL} takes them"
    )


def test_a_type_that_the_release_does_not_take_fails():
    config, taken = configured(), frozenset({"m6g.xlarge"})
    seen = check_instance_types(config, fleets_of(config), cluster_facts(types_of_release=taken))
    assert seen.level is Level.FAILED
    assert seen.sentence.startswith(f"{RELEASE_LABEL} does not take m7g.xlarge; choose")
    assert seen.fix.startswith("aws emr list-supported-instance-types --region eu-central-1 ")
    unknown = cluster_facts(types_of_release=DENIED)
    assert check_instance_types(config, fleets_of(config), unknown).level is Level.WARNING


@pytest.mark.parametrize(("found", "words"), [(None, "is not there"), ("pl-1", "is pl-1")])
def test_the_rules_have_to_name_the_prefix_list_of_s3(found, words):
    assert check_prefix_list(cluster_facts()).level is Level.OK
    seen = check_prefix_list(cluster_facts(s3_prefix_list=found))
    assert seen.level is Level.FAILED
    assert f"com.amazonaws.eu-central-1.s3 {words}, and the templates name pl-" in seen.sentence
    assert "cdk_app/endpoint_services.py" in seen.sentence
    assert check_prefix_list(cluster_facts(s3_prefix_list=DENIED)).level is Level.WARNING


def test_a_type_that_the_zone_lacks_fails_with_a_zone_that_has_all():
    seen = types_checked({"m7g.xlarge": ZONES, "m6g.xlarge": frozenset({"eu-central-1b"})})
    assert (seen.level, seen.fix) == (Level.FAILED, ELSEWHERE)
    assert f"m6g.xlarge is not offered in {ZONE}" in seen.sentence


@pytest.mark.parametrize("zones", [{}, {"m7g.xlarge": frozenset({"eu-central-1d"})}])
def test_types_that_no_allowed_zone_has_are_to_be_replaced(zones):
    seen = types_checked(zones, "n_task_nodes=0")
    assert seen.level is Level.FAILED
    assert "choose other types" in seen.sentence
    assert "-c worker_instance_type=" in seen.fix


def test_both_services_have_to_be_in_the_zone():
    assert services_checked(READY_FOR_CLUSTER.zones_by_service).level is Level.OK
    moved = services_checked({EMR_CELL_SERVICE: frozenset({"eu-central-1b"}), KMS_SERVICE: ZONES})
    assert (moved.level, moved.fix) == (Level.FAILED, ELSEWHERE)
    assert f"no endpoint service {EMR_CELL_SERVICE} in {ZONE}" in moved.sentence


def test_a_service_that_aws_does_not_know_any_more_is_to_be_looked_up():
    gone = services_checked({KMS_SERVICE: ZONES})
    assert gone.level is Level.FAILED
    assert "cdk_app/endpoint_services.py" in gone.sentence
    assert gone.fix.startswith("aws ec2 describe-vpc-endpoint-services ")


def test_the_release_has_to_be_offered_with_spark():
    seen = check_release(facts())
    assert (seen.level, seen.fix) == (Level.OK, "")
    assert f"{RELEASE_LABEL} is offered in eu-central-1, with Spark 4.1.1" in seen.sentence
    refused = check_release(facts(spark_version=None))
    assert refused.level is Level.FAILED
    assert "RELEASE_LABEL in cdk_app/cluster/definition.py" in refused.sentence
    assert refused.fix.startswith("aws emr list-release-labels --region eu-central-1 ")


def test_what_cannot_be_asked_is_a_warning():
    seen = [
        types_checked(DENIED),
        services_checked(DENIED),
        check_release(facts(spark_version=DENIED)),
    ]
    assert [each.level for each in seen] == [Level.WARNING] * 3
    assert {each.sentence for each in seen} == {f"not checked: {DENIED.reason}"}
