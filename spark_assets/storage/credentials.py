"""The credentials of AWS: found once for a process, in boto3's way, for every client of S3 alike.

Left to itself, each client looks for its own, and those of Arrow and obstore send requests unsigned
where they find none: a node whose metadata service is late for once would be denied every object.
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

# boto3 makes sessions, clients and credentials from one thread at a time only.  Without it, threads
# that start together would ask the metadata service together.
BOTO3_LOCK = threading.Lock()


def find_credentials() -> "Credentials":
    """Return the credentials of this process; they renew themselves.

    Raises AccessRefused where there are none, and looks again when it is asked again; FruitsError
    where they cannot be had.
    """
    with _in_words(), BOTO3_LOCK:
        found = _session().get_credentials()
    if found is None:
        raise AccessRefused(NO_CREDENTIALS)
    return found


def current_keys() -> "ReadOnlyCredentials":
    """Return the credentials as they are now, valid for ten more minutes at least.

    Raises as `find_credentials` does.
    """
    found = find_credentials()
    with _in_words():
        return found.get_frozen_credentials()


@contextmanager
def _in_words() -> Iterator[None]:
    import botocore.exceptions

    try:
        yield
    except botocore.exceptions.BotoCoreError as error:
        raise FruitsError(f"the AWS credentials could not be had: {error}; {LOG_IN}") from error


def _session() -> "Session":
    """Return the session that `boto3.client` uses too."""
    # Its library takes 90 ms to import, which runs on a local folder are spared.
    import boto3

    if boto3.DEFAULT_SESSION is None:
        boto3.setup_default_session()
    assert boto3.DEFAULT_SESSION is not None
    return boto3.DEFAULT_SESSION
