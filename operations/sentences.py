"""Error sentences for common refusals of AWS, in commands and in the CDK."""

from spark_assets.storage.s3_answers import LOG_IN

EXPIRED = f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on"
# Of a command that does things one by one.
EXPIRED_MIDWAY = (
    f"the AWS credentials have expired; {LOG_IN}: what runs in AWS runs on, "
    "and what is done stays done"
)
NOT_ACTIVATED = (
    "AWS has not yet activated the account for this service, or has blocked it; wait for "
    "AWS's e-mail, up to a day after sign-up, check the method of payment, and give the same "
    "command"
)
FREE_PLAN = "the account is on AWS's Free plan, which starts no instance type that EMR takes"
UPGRADE_PLAN = "aws freetier upgrade-account-plan --region us-east-1 --account-plan-type PAID"
NO_BUDGETS = (
    "AWS lets the account have no budget of its own, as a member of an organization or in its "
    "first day"
)
WITHOUT_BUDGET = "-c budget_usd_per_month=0"
THROTTLED = "AWS asks for fewer requests at a time; wait a minute and give the same command"
