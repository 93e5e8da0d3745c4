"""From what AWS and its client throw to one sentence for people."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as aws
from botocore.parsers import ResponseParserError

from operations.sentences import EXPIRED_MIDWAY, NOT_ACTIVATED, THROTTLED
from spark_assets.errors import FruitsError
from spark_assets.storage.s3 import error_code
from spark_assets.storage.s3_answers import CLOCK, LOG_IN, NOT_VALID, meaning_of
from spark_assets.text.printable import printable_line

_NO_CREDENTIALS = (
    "no AWS credentials were found; run 'aws configure' or 'aws sso login', or set AWS_PROFILE"
)
# What a service answers to every request of an account that AWS has not activated for it.
NOT_ACTIVATED_CODES = frozenset(
    ("Blocked", "OptInRequired", "PendingVerification", "SubscriptionRequiredException")
)
_CODES = {
    **dict.fromkeys(NOT_ACTIVATED_CODES, NOT_ACTIVATED),
    **dict.fromkeys(
        ("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        EXPIRED_MIDWAY,
    ),
    **dict.fromkeys(
        (
            "AuthFailure",
            "InvalidAccessKeyId",
            "InvalidClientTokenId",
            "InvalidSignatureException",
            "InvalidToken",
            "SignatureDoesNotMatch",
            "UnrecognizedClientException",
        ),
        NOT_VALID,
    ),
    **dict.fromkeys(
        (
            "RequestLimitExceeded",
            "SlowDown",
            "Throttling",
            "ThrottledException",
            "ThrottlingException",
            "TooManyRequestsException",
        ),
        THROTTLED,
    ),
    "RequestTimeTooSkewed": CLOCK,
}
_DENIED = {
    "403",
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "Client.UnauthorizedOperation",
    "UnauthorizedOperation",
}
_ACTION = re.compile(r"to perform:? ([A-Za-z0-9-]+:[A-Za-z0-9*]+)")
# Services spell it LimitExceeded, VcpuLimitExceeded, ServiceQuotaExceededException, TooManyBuckets.
_QUOTA = re.compile(r"(?:Limit|Quota)s?Exceeded|^TooManyBuckets$|^InsufficientInstanceCapacity$")


# What any call of AWS's client may throw.
AWS_ERRORS = (aws.ClientError, aws.BotoCoreError, ResponseParserError)


@contextmanager
def aws_failures() -> Iterator[None]:
    """Raise what AWS throws in the block as a FruitsError with one sentence."""
    try:
        yield
    except AWS_ERRORS as error:
        raise FruitsError(sentence_of_aws(error)) from error


def is_denied(code: str) -> bool:
    """Tell whether a service means by a code that a right is missing."""
    return code in _DENIED


def is_missing_stack(error: Exception) -> bool:
    """Tell whether an answer of CloudFormation means that there is no such stack."""
    return (
        isinstance(error, aws.ClientError)
        and error_code(error) == "ValidationError"
        and "does not exist" in str(error)
    )


def sentence_of_aws(error: Exception) -> str:
    """Tell a failure in one sentence: what happened and what to do."""
    if isinstance(error, aws.ClientError):
        return _sentence_of_a_service(error)
    if isinstance(error, (aws.NoCredentialsError, aws.NoAuthTokenError)):
        return _NO_CREDENTIALS
    if isinstance(error, aws.PartialCredentialsError):
        missing = printable_line(str(error.kwargs["cred_var"]))
        return f"the AWS credentials lack {missing}; set it, or run 'aws configure' again"
    if isinstance(error, aws.ProfileNotFound):
        profile = printable_line(str(error.kwargs["profile"]))
        return (
            f"there is no AWS profile {profile}; 'aws configure list-profiles' lists those that "
            "there are; set AWS_PROFILE to one of them"
        )
    if isinstance(error, (aws.SSOError, aws.LoginError, aws.TokenRetrievalError)):
        return EXPIRED_MIDWAY
    if isinstance(error, aws.CredentialRetrievalError):
        return f"the AWS credentials could not be had: {printable_line(str(error))}; {LOG_IN}"
    if isinstance(error, (aws.ConnectionError, aws.HTTPClientError, aws.IncompleteReadError)):
        place = error.kwargs.get("endpoint_url") or error.kwargs.get("proxy_url") or "its address"
        return (
            f"AWS could not be reached at {printable_line(str(place))}; check the network, the "
            "proxy, and AWS_ENDPOINT_URL if it is set, and give the same command"
        )
    if isinstance(error, ResponseParserError):
        return (
            "what answered in place of AWS was not AWS; check the proxy, the log-in page of the "
            "network, and AWS_ENDPOINT_URL if it is set, and give the same command"
        )
    return _unknown(f"{type(error).__name__}: {error}")


def _sentence_of_a_service(error: aws.ClientError) -> str:
    code = error_code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in _CODES:
        return _CODES[code]
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else error.operation_name
        return (
            f"AWS denies you {printable_line(action)}; ask for that right, or use another profile"
        )
    if code in ("BucketAlreadyExists", "BucketAlreadyOwnedByYou"):
        whose = "you have" if code == "BucketAlreadyOwnedByYou" else "someone else has"
        return (
            f"{whose} a bucket of that name already, and names of buckets are unique; "
            "delete it or choose another name"
        )
    if _QUOTA.search(code):
        told = printable_line(message).rstrip(".")
        return (
            f"a quota of the AWS account is used up: {told}; delete what is not needed, "
            "or ask for more under Service Quotas"
        )
    if code == "NoSuchBucket":
        return "a bucket of the stack does not exist any more; make it again with: make deploy"
    if meaning := meaning_of(code):
        return f"AWS refused {error.operation_name}: {code}: {meaning}"
    return _unknown(f"AWS refused {error.operation_name}: {code}: {message}")


def _unknown(told: str) -> str:
    return f"{printable_line(told).rstrip('.')}; for the stack trace, add --verbose"
