"""The checks of the account itself: credentials, plan, budget, CDK, stack, roles, notices."""

from cdk_app.config import REGION, PipelineConfig
from operations.cdk.failures import NOT_BOOTSTRAPPED, OTHER_ACCOUNT
from operations.command_lines import make_command
from operations.preflight.facts import (
    Answer,
    ClusterFacts,
    Computing,
    Facts,
    ServerlessFacts,
    StackState,
    Subscription,
    Toolkit,
    Unanswered,
)
from operations.preflight.outcomes import Level, Outcome, unanswered
from operations.sentences import FREE_PLAN, NO_BUDGETS, UPGRADE_PLAN, WITHOUT_BUDGET

# The least that the templates ask of the stack that `cdk bootstrap` makes.
BOOTSTRAP_VERSION = 6
# What the CDK takes where it is told of none, and what it calls the key aws/s3 of AWS.
QUALIFIER, AWS_MANAGED_KEY = "hnb659fds", "AWS_MANAGED_KEY"


def check_credentials(config: PipelineConfig, account: Answer[str]) -> Outcome:
    """Fail where nobody is logged in, or someone of another account than the configured one.

    The number of an account is never told.
    """
    check = "credentials"
    if isinstance(account, Unanswered):
        return Outcome(Level.FAILED, check, account.reason)
    if config.account and config.account != account:
        return Outcome(Level.FAILED, check, OTHER_ACCOUNT)
    whose = ", and they are for the configured account" if config.account else ""
    return Outcome(Level.OK, check, f"AWS takes them{whose}; the region is {REGION}")


def check_plan(stack: Computing, facts: Facts) -> Outcome:
    """Fail where AWS's Free plan would start no node; whether it runs EMR Serverless is unknown."""
    check, is_free = "account plan", facts.is_on_free_plan
    if isinstance(is_free, Unanswered):
        return unanswered(check, is_free)
    if not is_free:
        return Outcome(Level.OK, check, "it is not AWS's Free plan")
    if stack is Computing.SERVERLESS:
        return Outcome(
            Level.WARNING,
            check,
            "it is AWS's Free plan, of which AWS does not say whether it runs EMR Serverless; if "
            "it does not, change it with:",
            UPGRADE_PLAN,
        )
    return Outcome(
        Level.FAILED,
        check,
        f"{FREE_PLAN}; change the plan, after which AWS bills what the credits do not cover, with:",
        UPGRADE_PLAN,
    )


def check_budget(config: PipelineConfig, facts: Facts) -> Outcome:
    """Fail where AWS would refuse the budget, and the stack of the data with it."""
    check, takes_budgets = "budget", facts.takes_budgets
    if config.budget_usd_per_month == 0:
        return Outcome(Level.OK, check, "none is made, since budget_usd_per_month is 0")
    if isinstance(takes_budgets, Unanswered):
        refused = unanswered(check, takes_budgets)
        sentence = f"{refused.sentence}; if the deployment is denied it too, leave it out with:"
        return Outcome(refused.level, check, sentence, WITHOUT_BUDGET)
    if not takes_budgets:
        return Outcome(
            Level.FAILED,
            check,
            f"{NO_BUDGETS}; wait, ask the account that pays, or deploy without one, with:",
            WITHOUT_BUDGET,
        )
    return Outcome(Level.OK, check, "the account may have one")


def check_stack(
    config: PipelineConfig, stack: Computing, state: Answer[StackState | None]
) -> Outcome:
    """Fail where the stack is in a state that no deployment mends, or its cluster has ended."""
    check = "stack"
    option = "" if stack is Computing.COMPUTE else f" STACK={stack}"
    destroy = make_command(f"destroy{option}", config.environment)
    if isinstance(state, Unanswered):
        return unanswered(check, state)
    if state is None or state.status == "REVIEW_IN_PROGRESS":
        return Outcome(Level.OK, check, f"the {stack} stack is not there yet")
    if state.status.endswith("_FAILED"):
        return Outcome(
            Level.FAILED,
            check,
            f"the {stack} stack is {state.status}, which a deployment cannot mend; begin with:",
            destroy,
        )
    if state.status.endswith("_IN_PROGRESS"):
        return Outcome(
            Level.FAILED,
            check,
            f"the {stack} stack is being changed ({state.status}); wait until that is done",
        )
    if state.has_ended_cluster:
        return Outcome(
            Level.FAILED,
            check,
            "the cluster of the stack has ended, and a deployment makes no new one in its place; "
            "begin with:",
            destroy,
        )
    return Outcome(Level.OK, check, f"the {stack} stack is {state.status}")


def check_bootstrap(facts: Facts) -> Outcome:
    """Fail where the CDK's stack is not there, too old, or has what the templates do not expect."""
    check, version, toolkit = "CDK bootstrap", facts.bootstrap_version, facts.toolkit
    if isinstance(version, Unanswered):
        return unanswered(check, version)
    if version is None:
        if isinstance(toolkit, Toolkit) and toolkit.qualifier != QUALIFIER:
            return Outcome(
                Level.FAILED,
                check,
                f"the CDK's stack has the qualifier {toolkit.qualifier}, and the templates expect "
                f"{QUALIFIER}; make a second one beside it with:",
                "make bootstrap "
                f'CDK_OPTIONS="--qualifier {QUALIFIER} --toolkit-stack-name CDKToolkitFruits"',
            )
        return Outcome(Level.FAILED, check, f"{NOT_BOOTSTRAPPED}:", "make bootstrap")
    if version < BOOTSTRAP_VERSION:
        return Outcome(
            Level.FAILED,
            check,
            f"the CDK's stack has version {version}, and {BOOTSTRAP_VERSION} is needed; bring it "
            "up to date with:",
            "make bootstrap",
        )
    if isinstance(toolkit, Unanswered):
        return unanswered(check, toolkit)
    if toolkit is not None and toolkit.key != AWS_MANAGED_KEY and toolkit.qualifier == QUALIFIER:
        return Outcome(
            Level.FAILED,
            check,
            "the bucket of the CDK has a customer key, which nodes and jobs may not use; change "
            "it to the key of AWS, for all who use that bucket, with:",
            'make bootstrap CDK_OPTIONS="--no-bootstrap-customer-key"',
        )
    return Outcome(Level.OK, check, f"version {version}, and {BOOTSTRAP_VERSION} is needed")


def check_spot_role(facts: ClusterFacts) -> Outcome:
    """Tell whether EC2's role for Spot nodes is there; EMR's service role may make it."""
    return _check_role(
        "Spot role", facts.has_spot_role, "AWSServiceRoleForEC2Spot", "spot.amazonaws.com"
    )


def check_serverless_role(facts: ServerlessFacts) -> Outcome:
    """Tell whether the role of EMR Serverless is there; who makes an application makes it."""
    return _check_role(
        "Serverless role",
        facts.has_role,
        "AWSServiceRoleForAmazonEMRServerless",
        "ops.emr-serverless.amazonaws.com",
        "application",
    )


def check_cleanup_role(facts: ClusterFacts) -> Outcome:
    """Tell whether EMR's role for cleaning up is there; EMR makes it with the first cluster."""
    return _check_role(
        "clean-up role",
        facts.has_cleanup_role,
        "AWSServiceRoleForEMRCleanup",
        "elasticmapreduce.amazonaws.com",
    )


def _check_role(
    check: str, is_there: Answer[bool], role: str, service: str, needed_by: str = "cluster"
) -> Outcome:
    if isinstance(is_there, Unanswered):
        return unanswered(check, is_there)
    if is_there:
        return Outcome(Level.OK, check, f"{role} is there")
    return Outcome(
        Level.OK,
        check,
        f"{role} is not there yet: EMR makes it with the first {needed_by}; to have it sooner:",
        f"aws iam create-service-linked-role --aws-service-name {service}",
    )


def check_notices(config: PipelineConfig, facts: Facts) -> Outcome:
    """Warn where nobody would be told of a failure.  The address itself is not told."""
    check, subscription = "notices", facts.subscription
    if not config.alarm_email:
        return Outcome(
            Level.WARNING,
            check,
            "nobody is told of failures, idle clusters or cost; give an address with:",
            'CDK_OPTIONS="-c alarm_email=you@example.org"',
        )
    if isinstance(subscription, Unanswered):
        return unanswered(check, subscription)
    if subscription is Subscription.PENDING:
        return Outcome(
            Level.WARNING,
            check,
            "the address of alarm_email is told nothing yet: confirm the e-mail that AWS sent it",
        )
    if subscription is Subscription.CONFIRMED:
        return Outcome(Level.OK, check, "the address of alarm_email has confirmed")
    return Outcome(
        Level.OK, check, "AWS will send an e-mail to the address of alarm_email, to be confirmed"
    )
