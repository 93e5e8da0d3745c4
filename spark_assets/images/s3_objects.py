"""Reading of whole objects from S3, with one request each.

obstore, a client in Rust, takes less than a third of the processor time of pyarrow.fs, which sends
a HEAD before each GET, and a sixth of boto3's; it releases Python's lock while it waits.  The few
keys that it cannot address are read with boto3.
"""

import re
import threading
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import timedelta
from functools import lru_cache

import boto3
import botocore.exceptions
import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from spark_assets.storage.credentials import find_credentials
from spark_assets.storage.locations import S3Settings
from spark_assets.storage.s3 import (
    N_TRIES,
    Client,
    ObjectRefused,
    ObjectUnread,
    error_code,
    s3_client,
)
from spark_assets.storage.s3_answers import NO_CREDENTIALS, AccessRefused, Concern, concern_of

# obstore resumes an interrupted download, up to N_TRIES times; boto3 does not.
_N_READS = 3
# The times of pyarrow.fs.  A slow connection is no failure while bytes arrive: a request as a whole
# has an hour.
_CONNECT_TIMEOUT, _READ_TIMEOUT, _WHOLE_TIMEOUT = "10s", "60s", "1h"
# boto3 returns credentials that are valid for at least ten more minutes.
_CREDENTIALS_KEPT = timedelta(minutes=10)
# obstore drops a "/" at either end, and refuses "//", "." and ".." between two, and control codes.
_MISNAMED = re.compile(r"(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")
_CODE = re.compile(r"<Code>([\w.]{1,64})</Code>")
# obstore reports failures in its message alone.
_OF_STATUS, _DETAILS = "status code: ", "\n\nDebug source"
_BROKEN_OFF = ("response body error", "IncompleteMessage", "Content-Range header not present")
_REDIRECTED = "Received redirect without LOCATION"
_NO_KEYS = "AWS credential provider"

_DENIED = (PermissionDeniedError, UnauthenticatedError)
_BROKEN_OFF_IN_BOTO3 = (
    botocore.exceptions.IncompleteReadError,
    botocore.exceptions.ResponseStreamingError,
    botocore.exceptions.ConnectionClosedError,
)
_UNREACHABLE = "S3 could not be reached"
_NOT_UNDERSTOOD = "the answer of S3 was not understood"

CheckSize = Callable[[int], None]


class _BrokenOff(Exception):
    """A download was interrupted."""


class ObjectReader:
    """Reads the objects of one bucket; safe to use from several threads."""

    def __init__(self, bucket: str, settings: S3Settings, n_connections: int) -> None:
        self._bucket = bucket
        self._settings = settings
        self._n_connections = n_connections
        self._store = _store(bucket, settings)
        self._making_client = threading.Lock()
        self._client: Client | None = None

    def __call__(self, key: str, check_size: CheckSize) -> bytes:
        """Return the content.

        ``check_size`` gets the number of bytes before they are read, and raises where they are too
        many.  Raises FileNotFoundError; ObjectUnread where the object cannot be read; AccessRefused
        where S3 refuses the request.
        """
        read = self._read_with_boto3 if _MISNAMED.search(key) else self._read
        for _ in range(_N_READS):
            with suppress(_BrokenOff):
                return read(key, check_size)
        raise ObjectUnread("the answer of S3 broke off at every try")

    def _read(self, key: str, check_size: CheckSize) -> bytes:
        try:
            found = obstore.get(self._store, key)
            check_size(found.meta["size"])
            return bytes(found.bytes())
        except FileNotFoundError as error:
            if _code_of(error) == "NoSuchBucket":
                raise AccessRefused("NoSuchBucket") from error
            raise
        except BaseError as error:
            raise _failure(error) from error

    def _read_with_boto3(self, key: str, check_size: CheckSize) -> bytes:
        try:
            found = self._boto3().get_object(Bucket=self._bucket, Key=key)
            with closing(found["Body"]) as body:  # its own context manager returns urllib3's object
                check_size(found["ContentLength"])
                content: bytes = body.read()
        except botocore.exceptions.ClientError as error:
            code, status = error_code(error), error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404 and code != "NoSuchBucket":
                raise FileNotFoundError from error
            raise _refusal(code or str(status), is_denied=status in (401, 403)) from error
        except botocore.exceptions.NoCredentialsError as error:
            raise AccessRefused(NO_CREDENTIALS) from error
        except _BROKEN_OFF_IN_BOTO3 as error:
            raise _BrokenOff from error
        except botocore.exceptions.BotoCoreError as error:
            raise ObjectUnread(_UNREACHABLE) from error
        return content

    def _boto3(self) -> Client:
        with self._making_client:
            if self._client is None:
                self._client = s3_client(self._settings, n_connections=self._n_connections)
        return self._client


@lru_cache(maxsize=8)
def object_reader(bucket: str, settings: S3Settings, n_connections: int) -> ObjectReader:
    """Return the reader of a bucket, with the connections that it keeps from task to task."""
    return ObjectReader(bucket, settings, n_connections)


def _store(bucket: str, settings: S3Settings) -> S3Store:
    endpoint = settings.endpoint_url
    return S3Store(
        bucket,
        region=settings.region,
        endpoint=endpoint,
        # A certificate of AWS covers one label below its own names, and so no bucket with a dot.
        virtual_hosted_style_request=endpoint is None and "." not in bucket,
        credential_provider=None if settings.anonymous else _credentials(),
        skip_signature=settings.anonymous,
        client_options={
            "allow_http": (endpoint or "").startswith("http://"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": _READ_TIMEOUT,
            "timeout": _WHOLE_TIMEOUT,
        },
        retry_config={"max_retries": N_TRIES - 1},
    )


def _credentials() -> Boto3CredentialProvider:
    """Return the credentials of this process.  Raises AccessRefused where there are none."""
    find_credentials()
    return Boto3CredentialProvider(boto3.DEFAULT_SESSION, ttl=_CREDENTIALS_KEPT)


def _failure(error: BaseError) -> Exception:
    """Return the error of this project for a failure of obstore."""
    text = str(error)
    if (code := _code_of(error)) is not None:
        return _refusal(code, is_denied=isinstance(error, _DENIED))
    if any(sign in text for sign in _BROKEN_OFF):
        return _BrokenOff()
    if _REDIRECTED in text:
        return AccessRefused("PermanentRedirect")
    if isinstance(error, _DENIED):
        if _NO_KEYS in text:  # they could not be renewed
            return AccessRefused(NO_CREDENTIALS)
        return AccessRefused("403" if isinstance(error, PermissionDeniedError) else "401")
    return ObjectUnread(_UNREACHABLE if "HTTP error" in text else _NOT_UNDERSTOOD)


def _code_of(error: Exception) -> str | None:
    """Return the error code in the answer of S3, which follows the status in obstore's message.

    The text before it holds the key, which may contain anything.
    """
    _, found, answer = str(error).partition(_DETAILS)[0].rpartition(_OF_STATUS)
    code = _CODE.search(answer) if found else None
    return None if code is None else code[1]


def _refusal(code: str, *, is_denied: bool) -> Exception:
    """Return the error of a code: of this object, or of all requests."""
    concern = concern_of(code) or (Concern.ACCESS if is_denied else Concern.OBJECT)
    return ObjectRefused(code) if concern is Concern.OBJECT else AccessRefused(code)
