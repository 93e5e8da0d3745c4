"""What is added to moto's answers to who looks before deploying."""

import json
from typing import Any

from moto.budgets.responses import BudgetsResponse
from moto.core.base_backend import BaseBackend
from moto.core.responses import ActionResult
from moto.ec2.models.managed_prefixes import ManagedPrefixListBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.emr.responses import ElasticMapReduceResponse
from moto.moto_server.werkzeug_app import SIGNING_ALIASES
from moto.servicequotas.models import ServiceQuotasBackend

_STANDARD_VCPUS = 64.0
# Running standard instances on demand, and requests for them on Spot, of which a new account has
# fewer; and the vCPUs of EMR Serverless.
_QUOTAS = {
    ("ec2", "L-1216C47A"): _STANDARD_VCPUS,
    ("ec2", "L-34B43A08"): _STANDARD_VCPUS,
    ("emr-serverless", "L-D05C8A75"): 16.0,
}
_TYPES = ("m6g.xlarge", "m6i.xlarge", "m7g.xlarge", "m7i.xlarge")
_services_of_moto = VPCBackend._collect_default_endpoint_services
_prefix_lists_of_moto = ManagedPrefixListBackend.create_default_pls
_quota_of_moto = ServiceQuotasBackend.get_service_quota


def add() -> None:
    """Put the additions into moto."""
    ServiceQuotasBackend.get_service_quota = _get_service_quota
    ManagedPrefixListBackend.create_default_pls = _prefix_lists
    ElasticMapReduceResponse.list_supported_instance_types = _types
    # moto has no Free Tier: it is answered beside the budgets, which are asked in the same way.
    SIGNING_ALIASES["freetier"] = "budgets"
    BudgetsResponse.get_account_plan_state = _plan
    VPCBackend._collect_default_endpoint_services = staticmethod(_services)


def _get_service_quota(
    self: ServiceQuotasBackend, service_code: str, quota_code: str
) -> dict[str, Any]:
    # moto has the quotas of VPC alone.
    if (value := _QUOTAS.get((service_code, quota_code))) is None:
        return _quota_of_moto(self, service_code, quota_code)
    return {"ServiceCode": service_code, "QuotaCode": quota_code, "Value": value, "Unit": "None"}


def _prefix_lists(self: ManagedPrefixListBackend) -> None:
    _prefix_lists_of_moto(self)
    # Frankfurt's own number of the list of S3; moto draws one.
    for each in [*self.managed_prefix_lists.values()]:
        if each.prefix_list_name == "com.amazonaws.eu-central-1.s3":
            del self.managed_prefix_lists[each.id]
            each.id = "pl-6ea54007"
            self.managed_prefix_lists[each.id] = each


def _types(self: ElasticMapReduceResponse) -> ActionResult:
    return ActionResult({"SupportedInstanceTypes": [{"Type": name} for name in _TYPES]})


def _plan(self: BudgetsResponse) -> str:
    return json.dumps({"accountPlanType": "PAID", "accountPlanStatus": "ACTIVE"})


def _services(account_id: str, region: str) -> list[dict[str, Any]]:
    # From EMR 8 on a cluster is controlled through an endpoint; moto does not know its service.
    services = _services_of_moto(account_id, region)
    name = f"aws.api.{region}.emr-service-cell01"
    if all(service["ServiceName"] != name for service in services):
        zones = next(s["AvailabilityZones"] for s in services if s["ServiceName"].endswith(".kms"))
        (cell,) = BaseBackend.default_vpc_endpoint_service_factory(region, zones, "emr-cell")
        services.append({**cell, "ServiceName": name})
    return services
