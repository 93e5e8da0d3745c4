"""Versions in S3 deleted in batches, with retries while S3 is busy."""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import unquote_plus

import botocore.exceptions

from spark_assets.storage.s3 import Client, error_code

N_TRIES = 5
# The limit of S3 for one listing and for one DeleteObjects.
BATCH_SIZE = 1000

_PASSING = ("InternalError", "ServiceUnavailable", "SlowDown")
# DeleteObjects sends keys as XML, which cannot hold all characters of a key.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Version = Mapping[str, str]
Refusal = Mapping[str, str]
Sleep = Callable[[float], None]


def delete_versions(
    client: Client, bucket: str, versions: Sequence[Version], *, sleep: Sleep = time.sleep
) -> Sequence[Refusal]:
    """Delete at most `BATCH_SIZE` versions; return the refusals that remain after `N_TRIES`.

    A version has a ``Key`` and a ``VersionId``; a refusal has a ``Code`` and a ``Message`` too.
    """
    left: list[Version] = []
    refused: list[Refusal] = []
    for version in versions:
        if _NOT_XML.search(version["Key"]):
            refused += _delete_alone(client, bucket, version)
        else:
            left.append(version)
    for n_tries in range(1, N_TRIES + 1):
        if not left:
            break
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": left, "Quiet": True})
        errors = answer.get("Errors", [])
        again = [one for one in errors if one["Code"] in _PASSING and n_tries < N_TRIES]
        refused.extend(one for one in errors if one not in again)
        left = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in again]
        if left:
            sleep(2.0**n_tries)
    return refused


def unfinished_uploads(client: Client, bucket: str, prefix: str = "") -> Iterator[tuple[str, str]]:
    """Yield key and id of the unfinished multipart uploads below a prefix.

    Each request lists from the start, because the caller may abort uploads in between.
    """
    seen: set[str] = set()
    while True:
        answer = client.list_multipart_uploads(Bucket=bucket, Prefix=prefix, EncodingType="url")
        decode = unquote_plus if answer.get("EncodingType") == "url" else str
        uploads = [one for one in answer.get("Uploads", ()) if one["UploadId"] not in seen]
        for one in uploads:
            seen.add(one["UploadId"])
            yield decode(one["Key"]), one["UploadId"]
        if not uploads:
            return


def abort_upload(client: Client, bucket: str, key: str, upload_id: str) -> None:
    """Abort an unfinished multipart upload; one that no longer exists is skipped."""
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "NoSuchUpload":  # completed or aborted since the listing
            raise


def _delete_alone(client: Client, bucket: str, version: Version) -> Sequence[Refusal]:
    try:
        client.delete_object(Bucket=bucket, **version)
    except botocore.exceptions.ClientError as error:
        message = str(error.response.get("Error", {}).get("Message", ""))
        return [{**version, "Code": error_code(error), "Message": message}]
    return ()
