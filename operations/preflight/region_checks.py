"""Checks of region and zone: instance types, EMR's release, endpoint services, S3 addresses."""

from collections.abc import Mapping, Sequence

from cdk_app.cluster.definition import RELEASE_LABEL, Fleet
from cdk_app.config import REGION, PipelineConfig
from cdk_app.endpoint_services import (
    EMR_CELL_SERVICE,
    KMS_SERVICE,
    S3_PREFIX_LIST,
    S3_PREFIX_LIST_NAME,
)
from operations.preflight.finding import Finding, failure, passed, with_context

ENDPOINT_SERVICES = (EMR_CELL_SERVICE, KMS_SERVICE)
Zones = Mapping[str, frozenset[str]]


def instance_types(fleets: Sequence[Fleet]) -> list[str]:
    """Return the instance types of the fleets, each once."""
    return sorted({name for fleet in fleets for name in fleet.instance_types})


def check_instance_types(config: PipelineConfig, types: Sequence[str], zones: Zones) -> Finding:
    """Fail if the zone does not offer an instance type."""
    if missing := _missing(config.availability_zone, types, zones):
        return _elsewhere(
            config,
            f"{config.availability_zone} does not offer {' and '.join(missing)}",
            _zones_with_all(types, zones),
            failure(
                "no zone of the region offers them all: choose other types, such as with:",
                "-c worker_instance_type=m7g.xlarge -c primary_instance_type=m7g.xlarge",
            ),
        )
    return passed(f"{config.availability_zone} offers {' and '.join(types)}")


def check_supported_types(types: Sequence[str], supported: frozenset[str]) -> Finding:
    """Fail if the EMR release does not support an instance type."""
    if refused := [name for name in types if name not in supported]:
        return failure(
            f"{RELEASE_LABEL} does not support {' and '.join(refused)}; choose a type listed by:",
            f"aws emr list-supported-instance-types --region {REGION} "
            f"--release-label {RELEASE_LABEL} --query 'SupportedInstanceTypes[].Type'",
        )
    return passed(f"{RELEASE_LABEL} supports {' and '.join(types)}")


def check_endpoint_services(config: PipelineConfig, zones: Zones) -> Finding:
    """Fail if the zone has no endpoint to EMR's control channel, or to KMS."""
    zone = config.availability_zone
    if missing := _missing(zone, ENDPOINT_SERVICES, zones):
        return _elsewhere(
            config,
            f"{zone} has no endpoint service {' or '.join(missing)}",
            _zones_with_all(ENDPOINT_SERVICES, zones),
            failure(
                "no zone of the region has both: look up their present names, for "
                "cdk_app/endpoint_services.py, with:",
                f"aws ec2 describe-vpc-endpoint-services --region {REGION} --query ServiceNames",
            ),
        )
    return passed(f"{zone} has those of EMR's control channel and of KMS")


def check_prefix_list(found: str | None) -> Finding:
    """Fail if the security groups of the nodes name another address list than that of S3."""
    if found == S3_PREFIX_LIST:
        return passed(f"{S3_PREFIX_LIST} is the prefix list of S3, as in the templates")
    return failure(
        f"the prefix list {S3_PREFIX_LIST_NAME} {f'is {found}' if found else 'does not exist'}, "
        f"and the templates name {S3_PREFIX_LIST}; correct cdk_app/endpoint_services.py by:",
        f"aws ec2 describe-managed-prefix-lists --region {REGION} --filters "
        f"Name=prefix-list-name,Values={S3_PREFIX_LIST_NAME}",
    )


def check_release(spark_version: str | None) -> Finding:
    """Fail if the region does not offer the EMR release of the templates."""
    if spark_version is not None:
        return passed(f"{REGION} offers {RELEASE_LABEL}, with Spark {spark_version}")
    return failure(
        f"{REGION} does not offer {RELEASE_LABEL}; put another into RELEASE_LABEL in "
        "cdk_app/cluster/definition.py, of those listed by:",
        f"aws emr list-release-labels --region {REGION} --filters Prefix=emr-spark",
    )


def _missing(zone: str, names: Sequence[str], zones: Zones) -> list[str]:
    return [name for name in names if zone not in zones.get(name, frozenset())]


def _zones_with_all(names: Sequence[str], zones: Zones) -> list[str]:
    # The configuration accepts the first three zones of the region.
    common = frozenset.intersection(*(zones.get(name, frozenset()) for name in names))
    return sorted(zone for zone in common if zone[-1] in "abc")


def _elsewhere(
    config: PipelineConfig, missing: str, others: list[str], nowhere: Finding
) -> Finding:
    """Return a failure with another zone, or with the advice where no zone will do."""
    if others:
        return failure(
            f"{missing}; deploy in another zone with:",
            with_context(f"availability_zone={others[0]}"),
        )
    return failure(f"{missing}, and {nowhere.sentence}", nowhere.fix)
