"""The checks of the account itself: credentials, the CDK's own stack, roles, the notice address."""

from cdk_app.config import REGION, PipelineConfig
from operations.cdk.failures import NOT_BOOTSTRAPPED, OTHER_ACCOUNT
from operations.preflight.facts import Answer, Facts, Subscription, Unanswered
from operations.preflight.outcomes import Level, Outcome, unanswered

# The least that the templates ask of the stack that `cdk bootstrap` makes.
BOOTSTRAP_VERSION = 6


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


def check_bootstrap(facts: Facts) -> Outcome:
    """Fail where the CDK has never been in this region of the account, or its stack is too old."""
    check, version = "CDK bootstrap", facts.bootstrap_version
    if isinstance(version, Unanswered):
        return unanswered(check, version)
    if version is None:
        return Outcome(Level.FAILED, check, f"{NOT_BOOTSTRAPPED}:", "make bootstrap")
    if version < BOOTSTRAP_VERSION:
        return Outcome(
            Level.FAILED,
            check,
            f"the CDK's stack has version {version}, and {BOOTSTRAP_VERSION} is needed; bring it "
            "up to date with:",
            "make bootstrap",
        )
    return Outcome(Level.OK, check, f"version {version}, and {BOOTSTRAP_VERSION} is needed")


def check_spot_role(facts: Facts) -> Outcome:
    """Tell whether EC2's role for Spot nodes is there; EMR's service role may make it."""
    return _check_role(
        "Spot role", facts.has_spot_role, "AWSServiceRoleForEC2Spot", "spot.amazonaws.com"
    )


def check_cleanup_role(facts: Facts) -> Outcome:
    """Tell whether EMR's role for cleaning up is there; EMR makes it with the first cluster."""
    return _check_role(
        "clean-up role",
        facts.has_cleanup_role,
        "AWSServiceRoleForEMRCleanup",
        "elasticmapreduce.amazonaws.com",
    )


def _check_role(check: str, is_there: Answer[bool], role: str, service: str) -> Outcome:
    if isinstance(is_there, Unanswered):
        return unanswered(check, is_there)
    if is_there:
        return Outcome(Level.OK, check, f"{role} is there")
    return Outcome(
        Level.OK,
        check,
        f"{role} is not there yet: EMR makes it with the first cluster; to have it sooner:",
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
