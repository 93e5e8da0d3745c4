"""Which permissions the project's roles need for their requests to other services than S3."""

from collections.abc import Callable
from typing import Any

from tests.emulated_aws.account import ACCOUNT, REGION
from tests.emulated_aws.s3_permissions import Access

# The resource of an action, with the names of parameters.
_RESOURCES = {
    "cloudformation:DescribeStacks": ":{Region}:{Account}:stack/{StackName}/1",
    "ssm:GetParameter": ":{Region}:{Account}:parameter{Name}",
    "elasticmapreduce:AddJobFlowSteps": ":{Region}:{Account}:cluster/{JobFlowId}",
    "elasticmapreduce:DescribeCluster": ":{Region}:{Account}:cluster/{ClusterId}",
    "elasticmapreduce:ListSteps": ":{Region}:{Account}:cluster/{ClusterId}",
    "emr-serverless:StartJobRun": ":{Region}:{Account}:/applications/{applicationId}",
    "emr-serverless:GetJobRun": ":{Region}:{Account}:/applications/{applicationId}"
    "/jobruns/{jobRunId}",
}
# Roles that a request gives to a service: the parameter that names one, and the service.
_PASSED = {"emr-serverless:StartJobRun": ("executionRoleArn", "emr-serverless.amazonaws.com")}


class _Parameters(dict[str, Any]):
    def __init__(self, get: Callable[[str], Any]) -> None:
        super().__init__(Region=REGION, Account=ACCOUNT)
        self._get = get

    def __missing__(self, name: str) -> Any:
        return self._get(name)


def api_accesses(action: str, get: Callable[[str], Any]) -> list[Access]:
    """Return what IAM asks the policies of a request; ``get`` returns a parameter of it.

    Raises LookupError for an action that is not in the table.
    """
    if action not in _RESOURCES:
        raise LookupError(f"which resource {action} needs is not in the table; add it")
    resource = _RESOURCES[action].format_map(_Parameters(get))
    accesses = [Access(action, f"arn:aws:{action.partition(':')[0]}{resource}")]
    if action in _PASSED:
        parameter, service = _PASSED[action]
        accesses.append(Access("iam:PassRole", get(parameter), {"iam:PassedToService": service}))
        # Of the application or of the run that it makes: the reference leaves it open.
        tags = {f"aws:RequestTag/{key}": value for key, value in (get("tags") or {}).items()}
        for tagged in ("", "/jobruns/new") if tags else ():
            of_run = f"{accesses[0].resource}{tagged}"
            accesses.append(Access("emr-serverless:TagResource", of_run, tags))
    return accesses
