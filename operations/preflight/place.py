"""The checks of region and zone: types of nodes, EMR's release, endpoint services, S3."""

from collections.abc import Mapping, Sequence

from cdk_app.cluster.definition import RELEASE_LABEL, Fleet
from cdk_app.config import REGION, PipelineConfig
from cdk_app.endpoint_services import (
    EMR_CELL_SERVICE,
    KMS_SERVICE,
    S3_PREFIX_LIST,
    S3_PREFIX_LIST_NAME,
)
from operations.preflight.facts import ClusterFacts, Facts, Unanswered
from operations.preflight.outcomes import Level, Outcome, unanswered

# What the stack makes in the zone.
ENDPOINT_SERVICES = (EMR_CELL_SERVICE, KMS_SERVICE)


def instance_types(fleets: Sequence[Fleet]) -> list[str]:
    """Return every type that EMR is asked for, each once."""
    return sorted({name for fleet in fleets for name in fleet.instance_types})


def check_instance_types(
    config: PipelineConfig, fleets: Sequence[Fleet], facts: ClusterFacts
) -> Outcome:
    """Fail where the zone does not have a type that EMR is asked for, or EMR does not take it."""
    check, zones, taken = "instance types", facts.zones_by_type, facts.types_of_release
    if isinstance(zones, Unanswered):
        return unanswered(check, zones)
    needed = instance_types(fleets)
    if missing := _not_in(config.availability_zone, needed, zones):
        return _elsewhere(
            config,
            check,
            f"{' and '.join(missing)} {_is_or_are(missing)} not offered in",
            _zones_with_all(needed, zones),
            "no zone of the region has them all: choose other types, such as with:",
            'CDK_OPTIONS="-c worker_instance_type=m7g.xlarge -c primary_instance_type=m7g.xlarge"',
        )
    if isinstance(taken, Unanswered):
        return unanswered(check, taken)
    if refused := [name for name in needed if name not in taken]:
        return Outcome(
            Level.FAILED,
            check,
            f"{RELEASE_LABEL} does not take {' and '.join(refused)}; choose among the types that "
            "this lists:",
            f"aws emr list-supported-instance-types --region {REGION} "
            f"--release-label {RELEASE_LABEL} --query 'SupportedInstanceTypes[].Type'",
        )
    return Outcome(
        Level.OK,
        check,
        f"{' and '.join(needed)} {_is_or_are(needed)} offered in {config.availability_zone}, and "
        f"{RELEASE_LABEL} takes {'it' if len(needed) == 1 else 'them'}",
    )


def check_endpoint_services(config: PipelineConfig, facts: ClusterFacts) -> Outcome:
    """Fail where the zone has no endpoint to EMR's control channel, or to the key."""
    check, zones = "endpoints", facts.zones_by_service
    if isinstance(zones, Unanswered):
        return unanswered(check, zones)
    if missing := _not_in(config.availability_zone, ENDPOINT_SERVICES, zones):
        return _elsewhere(
            config,
            check,
            f"there is no endpoint service {' or '.join(missing)} in",
            _zones_with_all(ENDPOINT_SERVICES, zones),
            "no zone of the region has all that are needed: look up how AWS calls them today, for "
            "cdk_app/endpoint_services.py, with:",
            f"aws ec2 describe-vpc-endpoint-services --region {REGION} --query ServiceNames",
        )
    return Outcome(
        Level.OK, check, f"{config.availability_zone} has those of EMR's control channel and of KMS"
    )


def check_prefix_list(facts: ClusterFacts) -> Outcome:
    """Fail where the rules of the nodes would lead to another list of addresses than that of S3."""
    check, found = "S3 addresses", facts.s3_prefix_list
    if isinstance(found, Unanswered):
        return unanswered(check, found)
    if found != S3_PREFIX_LIST:
        now = "is not there" if found is None else f"is {found}"
        return Outcome(
            Level.FAILED,
            check,
            f"the prefix list {S3_PREFIX_LIST_NAME} {now}, and the templates name "
            f"{S3_PREFIX_LIST}; put what this tells into cdk_app/endpoint_services.py:",
            f"aws ec2 describe-managed-prefix-lists --region {REGION} --filters "
            f"Name=prefix-list-name,Values={S3_PREFIX_LIST_NAME}",
        )
    return Outcome(Level.OK, check, f"{S3_PREFIX_LIST} is the prefix list of S3, as in the rules")


def check_release(facts: Facts) -> Outcome:
    """Fail where the region does not offer the release of EMR that the templates name."""
    check, spark = "EMR release", facts.spark_version
    if isinstance(spark, Unanswered):
        return unanswered(check, spark)
    if spark is None:
        return Outcome(
            Level.FAILED,
            check,
            f"{RELEASE_LABEL} is not offered in {REGION}; choose one that is, and put it into "
            "RELEASE_LABEL in cdk_app/cluster/definition.py:",
            f"aws emr list-release-labels --region {REGION} --filters Prefix=emr-spark",
        )
    return Outcome(Level.OK, check, f"{RELEASE_LABEL} is offered in {REGION}, with Spark {spark}")


def _not_in(zone: str, needed: Sequence[str], zones: Mapping[str, frozenset[str]]) -> list[str]:
    return [name for name in needed if zone not in zones.get(name, frozenset())]


def _zones_with_all(needed: Sequence[str], zones: Mapping[str, frozenset[str]]) -> list[str]:
    return sorted(frozenset.intersection(*(zones.get(name, frozenset()) for name in needed)))


def _elsewhere(
    config: PipelineConfig, check: str, what: str, others: list[str], nowhere: str, fix: str
) -> Outcome:
    """Return a failure with the zone to take instead, or with what to do where there is none."""
    what = f"{what} {config.availability_zone}"
    # The configuration takes the first three zones of the region, and no other.
    allowed = [zone for zone in others if zone[-1] in "abc"]
    if not allowed:
        return Outcome(Level.FAILED, check, f"{what}, and {nowhere}", fix)
    return Outcome(
        Level.FAILED,
        check,
        f"{what}; another zone has what is needed, so deploy with:",
        f'CDK_OPTIONS="-c availability_zone={allowed[0]}"',
    )


def _is_or_are(names: Sequence[str]) -> str:
    return "is" if len(names) == 1 else "are"
