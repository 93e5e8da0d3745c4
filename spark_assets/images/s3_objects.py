"""Whole objects of S3, with one request each.

obstore, a client in Rust, takes less than a third of the processor time for an object that
pyarrow.fs takes, which asks for the size (HEAD) before it reads (GET), and a sixth of boto3's; it
holds no lock of Python while it waits.  The few keys that it cannot name, or would name otherwise,
are boto3's.
"""

import re
import threading
from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache

import boto3
import botocore.exceptions
import obstore
from obstore.auth.boto3 import Boto3CredentialProvider
from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError
from obstore.store import S3Store

from spark_assets.locations import S3Settings
from spark_assets.s3 import Client, ObjectRefused, error_code, s3_client

# As often as boto3 does here, and as long as pyarrow.fs did.  A slow connection is no failure while
# bytes arrive, so that what bounds a request as a whole is far away.
_N_RETRIES = 4
_CONNECT_TIMEOUT, _READ_TIMEOUT, _WHOLE_TIMEOUT = "10s", "60s", "1h"
# boto3 gives out credentials that are valid for ten more minutes at least.
_CREDENTIALS_KEPT = timedelta(minutes=10)
# obstore drops a "/" at either end, and refuses "//", "." and ".." between two, and control codes.
_MISNAMED = re.compile(r"(^|/)\.{0,2}(/|$)|[\x00-\x1f\x7f]")
_CODE = re.compile(r"<Code>(\w+)")

CheckSize = Callable[[int], None]


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

        ``check_size`` is told how many bytes there are before they are read, and raises where that
        is too many.  Raises FileNotFoundError, and ObjectRefused with the answer of S3.
        """
        if _MISNAMED.search(key):
            return self._read_with_boto3(key, check_size)
        try:
            found = obstore.get(self._store, key)
            check_size(found.meta["size"])
            return bytes(found.bytes())
        except BaseError as error:
            raise ObjectRefused(_code_of(error)) from error

    def _read_with_boto3(self, key: str, check_size: CheckSize) -> bytes:
        try:
            found = self._boto3().get_object(Bucket=self._bucket, Key=key)
            with found["Body"] as body:
                check_size(found["ContentLength"])
                content: bytes = body.read()
        except botocore.exceptions.ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status == 404:
                raise FileNotFoundError from error
            denied = status in (401, 403)
            raise ObjectRefused("ACCESS_DENIED" if denied else _named(error_code(error))) from error
        except botocore.exceptions.BotoCoreError as error:
            raise ObjectRefused("NETWORK_CONNECTION") from error
        return content

    def _boto3(self) -> Client:
        with self._making_client:  # boto3 makes clients from one thread at a time only
            if self._client is None:
                self._client = s3_client(self._settings, n_connections=self._n_connections)
        return self._client


@lru_cache(maxsize=8)
def object_reader(bucket: str, settings: S3Settings, n_connections: int) -> ObjectReader:
    """Return the reader of a bucket, with the connections that it keeps from task to task."""
    return ObjectReader(bucket, settings, n_connections)


def _store(bucket: str, settings: S3Settings) -> S3Store:
    session = boto3.Session(region_name=settings.region)
    # The same credentials as for the listing.  Where there are none, requests go unsigned.
    signed = session.get_credentials() is not None
    endpoint = settings.endpoint_url
    return S3Store(
        bucket,
        region=settings.region,
        endpoint=endpoint,
        # A certificate of AWS covers one label below its own names, and so no bucket with a dot.
        virtual_hosted_style_request=endpoint is None and "." not in bucket,
        credential_provider=(
            Boto3CredentialProvider(session, ttl=_CREDENTIALS_KEPT) if signed else None
        ),
        skip_signature=not signed,
        client_options={
            "allow_http": (endpoint or "").startswith("http://"),
            "connect_timeout": _CONNECT_TIMEOUT,
            "read_timeout": _READ_TIMEOUT,
            "timeout": _WHOLE_TIMEOUT,
        },
        retry_config={"max_retries": _N_RETRIES},
    )


def _code_of(error: BaseError) -> str:
    if isinstance(error, PermissionDeniedError | UnauthenticatedError):
        return "ACCESS_DENIED"
    if (code := _CODE.search(str(error))) is not None:
        return _named(code[1])
    return "NETWORK_CONNECTION" if "HTTP error" in str(error) else "UNKNOWN"


def _named(code: str) -> str:
    """Return a code of S3 as it stands in tables: SLOW_DOWN of SlowDown."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", code).upper()
