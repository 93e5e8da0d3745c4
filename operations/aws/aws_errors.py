"""Errors of AWS and of its client, as one sentence with what to do."""

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
# A service's answer to every request of an account that AWS has not activated for it.
NOT_ACTIVATED_CODES = frozenset(
    ("Blocked", "OptInRequired", "PendingVerification", "SubscriptionRequiredException")
)
_CODES_BY_SENTENCE = {
    NOT_ACTIVATED: NOT_ACTIVATED_CODES,
    EXPIRED_MIDWAY: (
        "ExpiredToken",
        "ExpiredTokenException",
        "RequestExpired",
        "TokenRefreshRequired",
    ),
    NOT_VALID: (
        "AuthFailure",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    ),
    THROTTLED: (
        "RequestLimitExceeded",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
    ),
    CLOCK: ("RequestTimeTooSkewed",),
    "you have a bucket of that name already, and names of buckets are unique; "
    "delete it or choose another name": ("BucketAlreadyOwnedByYou",),
    "someone else has a bucket of that name already, and names of buckets are unique; "
    "choose another name": ("BucketAlreadyExists",),
    "a bucket of the stack does not exist any more; make it again with: fruits deploy": (
        "NoSuchBucket",
    ),
}
_SENTENCES = {code: sentence for sentence, codes in _CODES_BY_SENTENCE.items() for code in codes}
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


# The errors that any call of boto3 may raise.
AWS_ERRORS = (aws.ClientError, aws.BotoCoreError, ResponseParserError)


@contextmanager
def convert_aws_errors() -> Iterator[None]:
    """Raise errors of AWS in the block as a FruitsError with one sentence."""
    try:
        yield
    except AWS_ERRORS as error:
        raise FruitsError(describe_aws_error(error)) from error


def is_denied(code: str) -> bool:
    """Return whether an error code means a missing right."""
    return code in _DENIED


def is_missing_stack(error: Exception) -> bool:
    """Return whether an error of CloudFormation means that the stack does not exist."""
    return (
        isinstance(error, aws.ClientError)
        and error_code(error) == "ValidationError"
        and "does not exist" in str(error)
    )


def describe_aws_error(error: Exception) -> str:
    """Return one sentence with the error and what to do."""
    if isinstance(error, aws.ClientError):
        return _describe_service_error(error)
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


def _describe_service_error(error: aws.ClientError) -> str:
    code = error_code(error)
    message = str(error.response.get("Error", {}).get("Message", ""))
    if code in _SENTENCES:
        return _SENTENCES[code]
    if code in _DENIED:
        named = _ACTION.search(message)
        action = named[1] if named else error.operation_name
        return (
            f"AWS denies you {printable_line(action)}; ask for that right, or use another profile"
        )
    if _QUOTA.search(code):
        detail = printable_line(message).rstrip(".")
        return (
            f"a quota of the AWS account is used up: {detail}; delete what is not needed, "
            "or ask for more under Service Quotas"
        )
    if meaning := meaning_of(code):
        return f"AWS refused {error.operation_name}: {code}: {meaning}"
    return _unknown(f"AWS refused {error.operation_name}: {code}: {message}")


def _unknown(text: str) -> str:
    return f"{printable_line(text).rstrip('.')}; for the stack trace, add --verbose"
