"""S3 through boto3, where pyarrow.fs falls short: versions, conditional writes, any key."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import botocore
import botocore.exceptions

from spark_assets.errors import FruitsError
from spark_assets.storage.credentials import BOTO3_LOCK
from spark_assets.storage.locations import Location, S3Settings
from spark_assets.storage.s3_answers import sentence_of_code

# boto3 generates its clients at run time, without types.
Client: TypeAlias = Any

N_TRIES = 5
_KEYS_PER_REQUEST = 1000


class ObjectUnread(OSError):
    """An object cannot be read; the message names no key and no bucket."""


class ObjectRefused(ObjectUnread):
    """S3 refuses to serve one object, such as an archived one."""

    def __init__(self, code: str) -> None:
        super().__init__(sentence_of_code(code))


def s3_client(settings: S3Settings, *, n_connections: int = 10) -> Client:
    """Return a client that is safe to use from ``n_connections`` threads at a time."""
    import boto3  # 90 ms, which runs on local folders are spared
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

    Arrow deletes one per request, and creates an object in place of a folder that becomes empty.
    Raises FruitsError where S3 refuses a deletion.
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
            raise FruitsError(
                f"{len(errors)} objects in {first.bucket} are not deleted: {sentence}"
            )


def delete_below(folder: Location) -> None:
    """Delete all objects below a prefix.  Raises FruitsError as `delete_objects`."""
    assert folder.s3 is not None
    pages = s3_client(folder.s3).get_paginator("list_objects_v2")
    for page in pages.paginate(Bucket=folder.bucket, Prefix=folder.prefix):
        if held := page.get("Contents", ()):
            delete_objects([Location(f"{folder.bucket}/{one['Key']}", folder.s3) for one in held])


def error_code(error: botocore.exceptions.ClientError) -> str:
    """Return the error code of AWS, or an empty string."""
    return str(error.response.get("Error", {}).get("Code", ""))
