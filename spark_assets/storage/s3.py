"""S3 as boto3 speaks to it, for what pyarrow.fs does not do: versions, conditions, any key."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import botocore
import botocore.exceptions

from spark_assets.errors import FruitsError
from spark_assets.storage.credentials import BOTO3_LOCK
from spark_assets.storage.locations import Location, S3Settings
from spark_assets.storage.s3_answers import sentence_of_code

# boto3 makes its clients at run time, and has no types for them.
Client: TypeAlias = Any

N_TRIES = 5
_KEYS_PER_REQUEST = 1000


class ObjectUnread(OSError):
    """An object cannot be read; the text says why, and names no key and no bucket."""


class ObjectRefused(ObjectUnread):
    """S3 refuses an object for what it is."""

    def __init__(self, code: str) -> None:
        super().__init__(sentence_of_code(code))


def s3_client(settings: S3Settings, *, n_connections: int = 10) -> Client:
    """Return a client that is safe to use from ``n_connections`` threads at a time."""
    # Its library takes 90 ms to import, which runs on a local folder are spared.
    import boto3
    import botocore.config

    config = botocore.config.Config(
        retries={"mode": "standard", "max_attempts": N_TRIES},
        max_pool_connections=n_connections,
        signature_version=botocore.UNSIGNED if settings.anonymous else None,
    )
    with BOTO3_LOCK:
        return boto3.client(
            "s3", region_name=settings.region, endpoint_url=settings.endpoint_url, config=config
        )


def delete_objects(files: Sequence[Location]) -> None:
    """Delete objects of one bucket.

    Arrow deletes one by a request and leaves an object in place of a folder that is empty then.
    Raises FruitsError where S3 refuses it.
    """
    first = files[0]
    assert first.s3 is not None
    client = s3_client(first.s3)
    keys = [{"Key": file.base.partition("/")[2]} for file in files]
    for start in range(0, len(keys), _KEYS_PER_REQUEST):
        wanted = {"Objects": keys[start : start + _KEYS_PER_REQUEST], "Quiet": True}
        answer = client.delete_objects(Bucket=first.bucket, Delete=wanted)
        if errors := answer.get("Errors", ()):
            sentence = sentence_of_code(errors[0]["Code"])
            raise FruitsError(f"{len(errors)} objects in {first.bucket} stay: {sentence}")


def delete_below(folder: Location) -> None:
    """Delete all objects below a prefix.  Raises FruitsError as `delete_objects`."""
    assert folder.s3 is not None
    pages = s3_client(folder.s3).get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=folder.bucket, Prefix=folder.prefix):
        if held := page.get("Contents", ()):
            delete_objects([Location(f"{folder.bucket}/{one['Key']}", folder.s3) for one in held])


def error_code(error: botocore.exceptions.ClientError) -> str:
    """Return the code by which AWS names an error, empty where it gives none."""
    return str(error.response.get("Error", {}).get("Code", ""))
