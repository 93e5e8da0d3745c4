"""The AWS credentials, found once per process by boto3, for every client of S3.

Clients of Arrow and obstore that look for their own send unsigned requests where they find none: a
node whose metadata service is late once would be denied every object.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from spark_assets.errors import FruitsError
from spark_assets.storage.s3_answers import LOG_IN, NO_CREDENTIALS, AccessRefused

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.credentials import Credentials, ReadOnlyCredentials

# boto3 creates sessions and clients in one thread at a time.  The lock also keeps threads from
# calling the metadata service together.
BOTO3_LOCK = threading.Lock()


def find_credentials() -> "Credentials":
    """Return the credentials of this process, which renew themselves.

    Raises AccessRefused where there are none (the next call searches again), FruitsError where the
    search fails.
    """
    with _as_fruits_error(), BOTO3_LOCK:
        found = _session().get_credentials()
    if found is None:
        raise AccessRefused(NO_CREDENTIALS)
    return found


def current_keys() -> "ReadOnlyCredentials":
    """Return the current keys, valid for at least ten minutes.  Raises as `find_credentials`."""
    found = find_credentials()
    with _as_fruits_error():
        return found.get_frozen_credentials()


@contextmanager
def _as_fruits_error() -> Iterator[None]:
    import botocore.exceptions  # 40 ms, which runs on local folders are spared

    try:
        yield
    except botocore.exceptions.BotoCoreError as error:
        raise FruitsError(f"AWS credentials are not available: {error}; {LOG_IN}") from error


def _session() -> "Session":
    """Return the session that `boto3.client` uses too."""
    import boto3  # 90 ms, which runs on local folders are spared

    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    return boto3.DEFAULT_SESSION
