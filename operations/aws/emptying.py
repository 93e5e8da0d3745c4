"""Deleting all that a bucket holds, which CloudFormation asks for before it deletes the bucket."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import unquote_plus

import botocore.exceptions

from operations.aws.clients import Client
from operations.aws.failures import error_code
from operations.aws.parallel import counted, in_parallel
from operations.aws.wording import printable
from spark_assets.errors import FruitsError

# S3 lists and deletes 1000 at a time: one answer to a listing is one batch to delete.
N_BATCHES = 4
N_TRIES = 5

_PASSING = ("InternalError", "ServiceUnavailable", "SlowDown")
# A key may hold what XML cannot, and DeleteObjects names its keys in XML.
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Version = Mapping[str, str]
Refusal = Mapping[str, str]
Sleep = Callable[[float], None]


def empty_buckets(client: Client, buckets: Sequence[str], *, sleep: Sleep = time.sleep) -> int:
    """Delete every version, delete marker and incomplete upload; return how many.

    A bucket that is gone is empty.  Given again after an interruption, it deletes the rest.
    Raises FruitsError with what was not deleted, after all else was.
    """
    n_deleted = 0
    refusals: Counter[str] = Counter()
    example = ""
    with counted("object") as add:
        for bucket in buckets:
            for n_versions, refused in _empty(client, bucket, sleep):
                n_deleted += n_versions
                add(n_versions)
                for refusal in refused:
                    refusals[refusal["Code"]] += 1
                    example = example or _sentence_of(bucket, refusal)
    if refusals:
        reasons = ", ".join(f"{n} {printable(code)}" for code, n in refusals.items())
        raise FruitsError(
            f"{refusals.total()} objects were not deleted ({reasons}), first {example}; "
            "ask for s3:DeleteObject and s3:DeleteObjectVersion, and give the same command again"
        )
    return n_deleted


def _empty(client: Client, bucket: str, sleep: Sleep) -> Iterator[tuple[int, Sequence[Refusal]]]:
    """Yield for each batch how many were deleted, and what was refused."""
    delete = partial(_delete, client, bucket, sleep)
    try:
        yield _abort_uploads(client, bucket), ()
        # Until a look finds nothing: objects may have come since, such as logs of the deletions.
        found, refused_any = True, False
        while found and not refused_any:
            found = False
            for n_deleted, refused in in_parallel(
                delete, _batches(client, bucket), n_threads=N_BATCHES
            ):
                found, refused_any = True, refused_any or bool(refused)
                yield n_deleted, refused
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "NoSuchBucket":
            raise


def _batches(client: Client, bucket: str) -> Iterator[list[Version]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
        found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
        if found:
            yield [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]


def _delete(
    client: Client, bucket: str, sleep: Sleep, versions: Sequence[Version]
) -> tuple[int, Sequence[Refusal]]:
    """Delete a batch; return how many are gone, and what S3 refused for good."""
    left: list[Version] = []
    for version in versions:
        if _NOT_XML.search(version["Key"]):
            client.delete_object(Bucket=bucket, **version)
        else:
            left.append(version)
    refused: list[Refusal] = []
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
    return len(versions) - len(refused), refused


def _abort_uploads(client: Client, bucket: str) -> int:
    """Abort the uploads that were never completed, whose parts no listing of objects shows."""
    aborted: set[str] = set()
    while True:
        answer = client.list_multipart_uploads(Bucket=bucket, EncodingType="url")
        decode = unquote_plus if answer.get("EncodingType") == "url" else str
        # From the beginning each time: what was aborted is listed no more.
        uploads = [one for one in answer.get("Uploads", ()) if one["UploadId"] not in aborted]
        for one in uploads:
            _abort(client, bucket, decode(one["Key"]), one["UploadId"])
            aborted.add(one["UploadId"])
        if not uploads:
            return len(aborted)


def _abort(client: Client, bucket: str, key: str, upload_id: str) -> None:
    try:
        client.abort_multipart_upload(Bucket=bucket, Key=key, UploadId=upload_id)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "NoSuchUpload":  # completed or aborted since the listing
            raise


def _sentence_of(bucket: str, refusal: Refusal) -> str:
    message = f": {refusal['Message']}" if refusal.get("Message") else ""
    return printable(f"{refusal['Key']} in {bucket}{message}").rstrip(".")
