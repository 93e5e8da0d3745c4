"""Error sentences for failures of the CDK and CloudFormation, from their output."""

import re

from operations.sentences import (
    EXPIRED,
    FREE_PLAN,
    NO_BUDGETS,
    NOT_ACTIVATED,
    THROTTLED,
    UPGRADE_PLAN,
    WITHOUT_BUDGET,
)
from spark_assets.storage.s3_answers import CLOCK, NOT_VALID

OTHER_ACCOUNT = (
    "the credentials are for another account than the deployment; set AWS_PROFILE to a profile "
    "of that account, or leave out the account in cdk.json and -c"
)
NOT_BOOTSTRAPPED = "the AWS account is not ready for the CDK in Frankfurt; make it so, once, with"
_OTHER_PLACE = "such as with -c availability_zone=eu-central-1b"

# In the order in which they are looked for: a cause before what follows from it. {action} is a
# group of the pattern, {prod} the option of an environment that is not the default.
_SENTENCES = [
    (
        r"ExpiredToken|RequestExpired|token (?:included in the request )?(?:is|has) expired"
        r"|SSO (?:session|token)\b.*\b(?:expired|invalid)",
        EXPIRED,
    ),
    (
        r"RequestTimeTooSkewed|Signature (?:not yet current|expired)",
        CLOCK,
    ),
    (
        r"InvalidClientTokenId|InvalidAccessKeyId|UnrecognizedClient|SignatureDoesNotMatch"
        r"|AuthFailure\b",
        NOT_VALID,
    ),
    (
        r"Unable to resolve AWS account|Unable to locate credentials"
        r"|config profile .{0,80} could not be found"
        r"|no credentials (?:have been|are) configured|Could not load credentials",
        "no valid AWS credentials were found: none, wrong or expired ones, or AWS cannot be "
        "reached; for the cause run '.venv/bin/aws sts get-caller-identity'; then run "
        "'aws configure' or 'aws sso login', or set AWS_PROFILE",
    ),
    (
        r"credentials are for|role in target account",
        OTHER_ACCOUNT,
    ),
    (
        r"environment been bootstrapped|re-?run ['\"]?cdk bootstrap|requires bootstrap stack",
        f"{NOT_BOOTSTRAPPED}: fruits bootstrap",
    ),
    (
        r"not eligible for Free Tier",
        f"{FREE_PLAN}; change the plan with: {UPGRADE_PLAN}, then 'fruits destroy{{prod}}', and "
        "deploy again",
    ),
    (
        r"PendingVerification|OptInRequired|SubscriptionRequired|account is currently blocked"
        r"|accessing resources in this region is being validated",
        NOT_ACTIVATED,
    ),
    (
        r"is a linked account|payer account to enable budgets",
        f"{NO_BUDGETS}; deploy without one, with {WITHOUT_BUDGET}",
    ),
    (
        r"not authorized to perform:? (?P<action>[a-z0-9-]+:[A-Za-z0-9*]+)",
        "AWS denies {action}; ask for that right, or use another profile",
    ),
    (
        r"AccessDenied|UnauthorizedOperation",
        "AWS denies what stands above; ask for that right, or use another profile",
    ),
    (
        r"ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|EHOSTUNREACH|socket hang up"
        r"|Could not connect to the endpoint|Connect timeout|Failed to connect to proxy",
        "AWS could not be reached; check the network, the proxy, and AWS_ENDPOINT_URL if it is "
        "set, and give the same command",
    ),
    (
        r"Throttling|Rate exceeded|RequestLimitExceeded|TooManyRequests",
        THROTTLED,
    ),
    (
        r"InsufficientInstanceCapacity|(?:sufficient|[Ii]nsufficient)\b.{0,40} capacity"
        r"|not supported in (?:the|your) requested [Aa]vailability [Zz]one",
        "AWS has no such nodes in this availability zone; wait, or choose another zone or type, "
        f"{_OTHER_PLACE}",
    ),
    (
        r"vCPU limit|Limits?Exceeded|QuotaExceeded|MaxSpotInstanceCountExceeded|TooManyBuckets"
        r"|maximum number of \w+ has been reached|Limit for \w+ has been exceeded",
        "a quota of the AWS account is used up; delete what is not needed, ask for more under "
        "Service Quotas in Frankfurt, or deploy fewer nodes, as with -c "
        "n_task_nodes=0",
    ),
    (
        r"BucketNotEmpty|bucket you tried to delete is not empty",
        "a bucket is not empty, maybe of logs that S3 ships hours later; empty it and destroy the "
        "stack with: fruits destroy --stack data{prod}",
    ),
    (
        r"[Cc]annot (?:delete|update) export|as it is in use by",
        "the stack of the cluster still uses the buckets; destroy it first, with: "
        "fruits destroy{prod}",
    ),
    (
        r"TerminationProtection is enabled|termination protection",
        "the prod stack has termination protection, and no command of fruits disables it; to "
        "delete the stack, disable the protection in the AWS console",
    ),
    (
        r"BucketAlreadyExists|bucket name is not available|AWS::S3::Bucket\b.{0,200}already exists",
        "a bucket of that name exists already, maybe in another account: names of buckets are "
        "unique in all of AWS; delete it if it is yours, and give the same command",
    ),
    (
        r"already exists|AlreadyExists\b",
        "something of that name exists already outside the stack, maybe left by an earlier "
        "deployment; delete it in the AWS console and give the same command",
    ),
    (
        r"[Bb]ootstrap action|BOOTSTRAP_FAILURE",
        "the bootstrap action of the nodes failed; read its log under emr/ in the bucket for logs",
    ),
    (
        r"DependencyViolation|has a dependent object|has dependencies and cannot be deleted",
        "something outside the stack still uses the network, such as a node that is ending; give "
        "the same command in a few minutes, and if it fails again delete what stands above in the "
        "AWS console",
    ),
    (
        r"_IN_PROGRESS state",
        "the stack is being changed already; wait until that is done, and give the same command",
    ),
    (
        r"ROLLBACK_FAILED",
        "the rollback failed; give 'fruits destroy{prod}' and deploy again,"
        " or go on with the rollback in the AWS console",
    ),
    (
        r"DELETE_FAILED",
        "CloudFormation could not delete the resources named above; fix the cause and run the "
        "same command again",
    ),
    (
        r"ROLLBACK_COMPLETE|Resource updates failed|failed creation",
        "CloudFormation rolled the deployment back, for the reason above; fix it and run the same "
        "command: a stack whose creation failed is created anew",
    ),
    (
        r"Synthesis finished with errors|app\.py: Subprocess exited",
        "synthesis of the templates failed, for the reason above; nothing was changed in AWS",
    ),
]
_UNKNOWN = "the CDK failed, for the reason above; fix it and run the same command"
# Messages of the app itself: errors of the configuration and missing artifacts.
_FROM_THE_APP = re.compile(r"^fruits: |; build (?:it|them) with: fruits ", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


def sentence_for(output: str) -> str | None:
    """Return the error sentence for an output; None where the app has printed one.

    The sentence contains no account number.
    """
    plain = _COLOUR.sub("", output)
    if _FROM_THE_APP.search(plain):
        return None
    # The CDK breaks long reasons into lines.
    text = " ".join(plain.split())
    for pattern, sentence in _SENTENCES:
        if found := re.search(pattern, text):
            action = found.groupdict().get("action", "")
            prod = " --environment prod" if "fruits-prod-" in text else ""
            return sentence.replace("{action}", action).replace("{prod}", prod)
    return _UNKNOWN
