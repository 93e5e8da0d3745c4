"""The error codes of S3: the scope of each, its meaning, and what to do."""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from spark_assets.errors import FruitsError


class Concern(Enum):
    """The scope of an error.

    OBJECT: one object, which is rejected.  ACCESS: permissions; such objects are counted over the
    whole run, which then fails.  REQUEST: credentials, clock, region or bucket, and so all objects;
    the task fails, and Spark retries it elsewhere.
    """

    OBJECT = 1
    ACCESS = 2
    REQUEST = 3


@dataclass(frozen=True, slots=True)
class Refusal:
    """The scope of an error code, and its meaning with a remedy."""

    concern: Concern
    meaning: str


LOG_IN = "log in again ('aws sso login', or the way you did before) and give the same command"
NOT_VALID = "AWS does not know these credentials; check AWS_PROFILE and the access key"
CLOCK = "the clock of this machine is wrong, and AWS refuses what it signs; set the clock"
NO_ACCESS = (
    "access in S3 is denied; check what the role may read and write, and which KMS keys it may use"
)
# Not from S3: without credentials there was no request.
NO_CREDENTIALS = "NoCredentials"
_NOT_PUBLIC = "it is not public; leave out --anonymous to read it with credentials"
_EXPIRED = f"the AWS credentials have expired; {LOG_IN}"
_REGION = "the bucket is in another region; set AWS_REGION to the region of the bucket"
_BUSY = "the service was busy; give the same command again later"
_KEY_DELETED = (
    "its KMS key is deleted or scheduled for deletion; "
    "cancel the deletion, or use a copy under another key"
)

_REFUSALS: Mapping[str, Refusal] = {
    code: Refusal(concern, meaning)
    for concern, meaning, codes in (
        (
            Concern.OBJECT,
            "it is archived; restore it first (aws s3api restore-object)",
            ("InvalidObjectState",),
        ),
        (
            Concern.OBJECT,
            "its KMS key is disabled; enable the key (aws kms enable-key)",
            ("KMS.DisabledException",),
        ),
        (
            Concern.OBJECT,
            _KEY_DELETED,
            ("KMS.InvalidStateException", "KMS.KMSInvalidStateException", "KMS.NotFoundException"),
        ),
        (
            Concern.OBJECT,
            _BUSY,
            ("InternalError", "RequestTimeout", "ServiceUnavailable", "SlowDown"),
        ),
        # A response without a code counts by its status.
        (Concern.ACCESS, NO_ACCESS, ("AccessDenied", "AllAccessDisabled", "401", "403")),
        (
            Concern.REQUEST,
            "no AWS credentials were found; run 'aws configure' or 'aws sso login', set "
            "AWS_PROFILE, or give --anonymous where the photographs are public",
            (NO_CREDENTIALS,),
        ),
        (Concern.REQUEST, _EXPIRED, ("ExpiredToken", "TokenRefreshRequired")),
        (
            Concern.REQUEST,
            NOT_VALID,
            ("InvalidAccessKeyId", "InvalidToken", "SignatureDoesNotMatch"),
        ),
        (Concern.REQUEST, CLOCK, ("RequestTimeTooSkewed",)),
        (
            Concern.REQUEST,
            _REGION,
            (
                "AuthorizationHeaderMalformed",
                "IllegalLocationConstraintException",
                "PermanentRedirect",
                "TemporaryRedirect",
            ),
        ),
        (
            Concern.REQUEST,
            "the bucket does not exist; check its name and AWS_ENDPOINT_URL",
            ("NoSuchBucket",),
        ),
    )
    for code in codes
}


def _in_capitals(code: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", code).upper()


# Arrow spells some codes differently: ACCESS_DENIED of AccessDenied.  Codes of others too, such as
# INTERNAL_ERROR of Spark, are not searched for in text.
_SPELLINGS = {
    spelling: code
    for code, refusal in _REFUSALS.items()
    if not code.isdigit() and code != NO_CREDENTIALS and refusal.meaning != _BUSY
    for spelling in (code, _in_capitals(code))
}
_ANY_CODE = re.compile(
    rf"(?<![\w.])(?:{'|'.join(map(re.escape, sorted(_SPELLINGS, key=len, reverse=True)))})(?!\w)"
)


class AccessRefused(FruitsError):
    """S3 denies access, which is no fault of the object and no reason to reject it."""

    def __init__(self, code: str) -> None:
        super().__init__(sentence_of_code(code))
        self.code = code

    def __reduce__(self) -> tuple[type["AccessRefused"], tuple[str]]:
        return AccessRefused, (self.code,)


def concern_of(code: str) -> Concern | None:
    """Return the scope of an error code, or None for an unknown one."""
    refusal = _REFUSALS.get(code)
    return None if refusal is None else refusal.concern


def meaning_of(code: str, *, anonymous: bool = False) -> str:
    """Return the meaning of an error code with a remedy; empty for an unknown one."""
    if anonymous and concern_of(code) is Concern.ACCESS:
        return _NOT_PUBLIC
    refusal = _REFUSALS.get(code)
    return "" if refusal is None else refusal.meaning


def sentence_of_code(code: str) -> str:
    """Return a sentence about an error code, with a remedy for a known one."""
    if code == NO_CREDENTIALS:
        return meaning_of(code)
    meaning = meaning_of(code)
    return f"S3 answered {code}{f': {meaning}' if meaning else ''}"


def code_in(text: str) -> str | None:
    """Return the first known error code in the message of a library, as S3 spells it."""
    found = _ANY_CODE.search(text)
    return None if found is None else _SPELLINGS[found[0]]


def sentence_of_refused(refused: Mapping[str, int], of_what: str, *, anonymous: bool) -> str:
    """Return a sentence with the number of refused images by code, and a remedy for the commonest.

    ``of_what`` names all images, with their number.
    """
    by_code = Counter(refused).most_common()
    codes = ", ".join(f"{n} {code}" for code, n in by_code)
    meaning = meaning_of(by_code[0][0], anonymous=anonymous) or NO_ACCESS
    return (
        f"S3 refused access to {sum(refused.values())} of {of_what} ({codes}), and nothing of this "
        f"run is kept: {meaning}"
    )
