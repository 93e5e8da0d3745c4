"""What is added to moto's answers to who looks before deploying."""

from typing import Any

from moto.core.base_backend import BaseBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.servicequotas.models import ServiceQuotasBackend

_STANDARD_VCPUS = 64.0
# Running standard instances on demand, and requests for them on Spot. A new account has fewer.
_EC2_QUOTAS = {"L-1216C47A": _STANDARD_VCPUS, "L-34B43A08": _STANDARD_VCPUS}
_services_of_moto = VPCBackend._collect_default_endpoint_services
_quota_of_moto = ServiceQuotasBackend.get_service_quota


def add() -> None:
    """Put the additions into moto."""
    ServiceQuotasBackend.get_service_quota = _get_service_quota
    VPCBackend._collect_default_endpoint_services = staticmethod(_services)


def _get_service_quota(
    self: ServiceQuotasBackend, service_code: str, quota_code: str
) -> dict[str, Any]:
    # moto has the quotas of VPC alone.
    if service_code != "ec2" or quota_code not in _EC2_QUOTAS:
        return _quota_of_moto(self, service_code, quota_code)
    value = _EC2_QUOTAS[quota_code]
    return {"ServiceCode": "ec2", "QuotaCode": quota_code, "Value": value, "Unit": "None"}


def _services(account_id: str, region: str) -> list[dict[str, Any]]:
    # From EMR 8 on a cluster is controlled through an endpoint; moto does not know its service.
    services = _services_of_moto(account_id, region)
    name = f"aws.api.{region}.emr-service-cell01"
    if all(service["ServiceName"] != name for service in services):
        zones = next(s["AvailabilityZones"] for s in services if s["ServiceName"].endswith(".kms"))
        (cell,) = BaseBackend.default_vpc_endpoint_service_factory(region, zones, "emr-cell")
        services.append({**cell, "ServiceName": name})
    return services
