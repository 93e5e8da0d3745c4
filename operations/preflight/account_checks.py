"""Checks of the account: credentials, plan, budget, CDK bootstrap, stack, notices."""

from dataclasses import dataclass

from cdk_app.config import REGION, PipelineConfig
from operations.cdk.cdk_errors import NOT_BOOTSTRAPPED, OTHER_ACCOUNT
from operations.command_lines import fruits_command
from operations.preflight.finding import (
    Computing,
    Finding,
    failure,
    passed,
    warning,
    with_context,
)
from operations.sentences import FREE_PLAN, NO_BUDGETS, UPGRADE_PLAN, WITHOUT_BUDGET

# The least version that the templates require.
BOOTSTRAP_VERSION = 6
# The CDK's default qualifier, and its name for AWS's own key aws/s3.
QUALIFIER, AWS_MANAGED_KEY = "hnb659fds", "AWS_MANAGED_KEY"


@dataclass(frozen=True, slots=True)
class Toolkit:
    """Parameters of the stack of `cdk bootstrap`; ``key`` is empty for a key of its own."""

    qualifier: str
    key: str


@dataclass(frozen=True, slots=True)
class StackState:
    """State of the stack to deploy."""

    status: str
    has_ended_cluster: bool = False


def check_credentials(config: PipelineConfig, account_id: str) -> Finding:
    """Fail for another account than the configured one; its number is not printed."""
    if config.account and config.account != account_id:
        return failure(OTHER_ACCOUNT)
    match = ", for the configured account" if config.account else ""
    return passed(f"valid{match}; the region is {REGION}")


def check_plan(stack: Computing, *, is_free: bool) -> Finding:
    """Fail on AWS's Free plan, which starts no node; AWS does not document EMR Serverless on it."""
    if not is_free:
        return passed("not AWS's Free plan")
    if stack is Computing.SERVERLESS:
        return warning(
            "AWS's Free plan, on which EMR Serverless may not run; if it does not, change it with:",
            UPGRADE_PLAN,
        )
    return failure(
        f"{FREE_PLAN}; change the plan, after which AWS bills what the credits do not cover, with:",
        UPGRADE_PLAN,
    )


def check_budget(*, is_allowed: bool) -> Finding:
    """Fail where AWS would refuse the budget, and the data stack with it."""
    if is_allowed:
        return passed("the account may have one")
    return failure(
        f"{NO_BUDGETS}; wait, ask the account that pays, or deploy without one, with:",
        WITHOUT_BUDGET,
    )


def check_stack(config: PipelineConfig, stack: Computing, state: StackState | None) -> Finding:
    """Fail for a state that no deployment mends, and for a cluster that has ended."""
    option = "" if stack is Computing.COMPUTE else f" --stack {stack}"
    destroy = fruits_command(f"destroy{option}", config.environment)
    if state is None or state.status == "REVIEW_IN_PROGRESS":
        return passed(f"no {stack} stack yet")
    if state.status.endswith("_FAILED"):
        return failure(
            f"the {stack} stack is {state.status}, which a deployment cannot mend; begin with:",
            destroy,
        )
    if state.status.endswith("_IN_PROGRESS"):
        return failure(f"the {stack} stack is changing ({state.status}); wait for its end")
    if state.has_ended_cluster:
        return failure(
            "the cluster of the stack has ended, and a deployment does not replace it; begin with:",
            destroy,
        )
    return passed(f"the {stack} stack is {state.status}")


def check_bootstrap(version: int | None, toolkit: Toolkit | None) -> Finding:
    """Fail for a bootstrap that is missing, too old, or has a customer key."""
    if version is None:
        if toolkit is not None and toolkit.qualifier != QUALIFIER:
            return failure(
                f"the CDK's stack has the qualifier {toolkit.qualifier}, and the templates expect "
                f"{QUALIFIER}; make a second one beside it with:",
                "fruits bootstrap "
                f"-- --qualifier {QUALIFIER} --toolkit-stack-name CDKToolkitFruits",
            )
        return failure(f"{NOT_BOOTSTRAPPED}:", "fruits bootstrap")
    if version < BOOTSTRAP_VERSION:
        return failure(
            f"the CDK's stack has version {version}, below {BOOTSTRAP_VERSION}; update it with:",
            "fruits bootstrap",
        )
    if toolkit is not None and toolkit.key != AWS_MANAGED_KEY and toolkit.qualifier == QUALIFIER:
        return failure(
            "the bucket of the CDK has a customer key, which nodes and jobs may not use; change "
            "it to the key of AWS, for all who use that bucket, with:",
            "fruits bootstrap -- --no-bootstrap-customer-key",
        )
    return passed(f"version {version}, at least {BOOTSTRAP_VERSION}")


def check_notices(config: PipelineConfig, *, has_confirmed: bool | None) -> Finding:
    """Warn where no address receives notices; the address itself is not printed."""
    if not config.alarm_email:
        return warning(
            "no address for failures, idle clusters and cost; set one with:",
            with_context("alarm_email=you@example.org"),
        )
    if has_confirmed is None:
        return passed("AWS will ask the address of alarm_email to confirm, by e-mail")
    if has_confirmed:
        return passed("the address of alarm_email has confirmed")
    return warning(
        "the address of alarm_email receives nothing yet: confirm the e-mail that AWS sent it"
    )
