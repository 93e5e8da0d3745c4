"""The preflight: every check of a stack, each on its own read of the account."""

from collections.abc import Callable

from botocore import exceptions as aws

from cdk_app.cluster.definition import define_cluster
from cdk_app.config import PipelineConfig
from operations.aws.aws_errors import AWS_ERRORS, NOT_ACTIVATED_CODES, describe_aws_error
from operations.preflight.account_checks import (
    check_bootstrap,
    check_budget,
    check_credentials,
    check_notices,
    check_plan,
    check_stack,
)
from operations.preflight.account_reader import AccountReader, Clients
from operations.preflight.finding import Computing, Finding, Outcome, failure, passed, warning
from operations.preflight.quota_checks import (
    ON_DEMAND_QUOTA_CODE,
    SERVERLESS_QUOTA_CODE,
    SPOT_QUOTA_CODE,
    VPC_QUOTA_CODE,
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
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code

_Checks = dict[str, Callable[[], Finding]]


def run_preflight(
    config: PipelineConfig, stack: Computing, clients: Clients, *, verbose: bool = False
) -> list[Outcome]:
    """Return the outcome of every check; of the credentials alone if they do not work.

    A check whose read AWS refuses is a warning: a deployment may need fewer rights than the
    preflight.  ``verbose`` raises what AWS throws.
    """
    account = AccountReader(clients, config)
    credentials = Outcome("credentials", _credentials(config, account, verbose=verbose))
    if credentials.has_failed:
        return [credentials]
    of_stack = _cluster_checks if stack is Computing.COMPUTE else _serverless_checks
    checks: _Checks = {
        "account plan": lambda: check_plan(stack, is_free=account.is_on_free_plan()),
        "budget": lambda: (
            check_budget(is_allowed=account.allows_budgets())
            if config.budget_usd_per_month
            else passed("none, as budget_usd_per_month is 0")
        ),
        "CDK bootstrap": lambda: check_bootstrap(account.bootstrap_version(), account.toolkit()),
        "stack": lambda: check_stack(config, stack, account.stack_state(stack)),
        **of_stack(config, account),
        "EMR release": lambda: check_release(account.spark_version()),
        "notices": lambda: check_notices(
            config, has_confirmed=account.has_confirmed_address() if config.alarm_email else None
        ),
    }
    return [
        credentials,
        *(Outcome(name, _run(check, verbose=verbose)) for name, check in checks.items()),
    ]


def _cluster_checks(config: PipelineConfig, account: AccountReader) -> _Checks:
    # The place of the bootstrap script makes no difference here.
    fleets = define_cluster(config, name="", bootstrap_uri="", bootstrap_arguments=()).fleets
    types = instance_types(fleets)
    spot: _Checks = {
        "quota on Spot": lambda: check_spot_quota(
            fleets, account.quota("ec2", SPOT_QUOTA_CODE), account.running_instances()
        )
    }
    return {
        "quota on demand": lambda: check_on_demand_quota(
            fleets, account.quota("ec2", ON_DEMAND_QUOTA_CODE), account.running_instances()
        ),
        **(spot if any(fleet.on_spot for fleet in fleets) else {}),
        "quota of VPCs": lambda: check_vpc_quota(
            account.quota("vpc", VPC_QUOTA_CODE), account.n_other_vpcs()
        ),
        "instance types": lambda: check_instance_types(config, types, account.zones_by_type(types)),
        "types in EMR": lambda: check_supported_types(types, account.supported_types()),
        "endpoints": lambda: check_endpoint_services(config, account.zones_by_service()),
        "S3 addresses": lambda: check_prefix_list(account.s3_prefix_list()),
    }


def _serverless_checks(config: PipelineConfig, account: AccountReader) -> _Checks:
    return {
        "quota of vCPUs": lambda: check_serverless_quota(
            config.serverless_max_vcpus, account.quota("emr-serverless", SERVERLESS_QUOTA_CODE)
        )
    }


def _credentials(config: PipelineConfig, account: AccountReader, *, verbose: bool) -> Finding:
    try:
        return check_credentials(config, account.account_id())
    except AWS_ERRORS as error:
        if verbose:
            raise
        return failure(describe_aws_error(error))


def _run(check: Callable[[], Finding], *, verbose: bool) -> Finding:
    try:
        return check()
    except AWS_ERRORS as error:
        if verbose:
            raise
        if isinstance(error, aws.ClientError) and error_code(error) in NOT_ACTIVATED_CODES:
            return failure(describe_aws_error(error))
        return warning(f"not checked: {describe_aws_error(error)}")
    except FruitsError as error:
        return warning(f"not checked: {error}")
