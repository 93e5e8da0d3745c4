"""Emptying of buckets, which CloudFormation requires before it deletes them."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import botocore.exceptions

from operations.aws.clients import Client
from operations.aws.parallel import counted, in_parallel
from spark_assets.errors import FruitsError
from spark_assets.removal.s3_versions import (
    Refusal,
    Sleep,
    Version,
    abort_upload,
    delete_versions,
    unfinished_uploads,
)
from spark_assets.storage.s3 import error_code
from spark_assets.text.printable import printable_line

# S3 lists and deletes 1000 at a time: one answer to a listing is one batch to delete.
N_BATCHES = 4


def empty_buckets(client: Client, buckets: Sequence[str], *, sleep: Sleep = time.sleep) -> int:
    """Delete every version, delete marker and incomplete upload; return their number.

    A bucket that does not exist is empty.  A second call after an interruption deletes the rest.
    Raises FruitsError for objects that S3 refuses to delete, after all others are deleted.
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
        reasons = ", ".join(f"{n} {printable_line(code)}" for code, n in refusals.items())
        raise FruitsError(
            f"{refusals.total()} objects were not deleted ({reasons}), first {example}; "
            "ask for s3:DeleteObject and s3:DeleteObjectVersion, and give the same command again"
        )
    return n_deleted


def _empty(client: Client, bucket: str, sleep: Sleep) -> Iterator[tuple[int, Sequence[Refusal]]]:
    """Yield the number deleted and the refusals of each batch."""
    delete = partial(_delete, client, bucket, sleep)
    try:
        yield _abort_uploads(client, bucket), ()
        # Until a listing is empty: deletions write access logs.
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
    """Delete a batch; return the number deleted, and the refusals that remain after retries."""
    refused = delete_versions(client, bucket, versions, sleep=sleep)
    return len(versions) - len(refused), refused


def _abort_uploads(client: Client, bucket: str) -> int:
    """Abort incomplete uploads, whose parts no listing of objects shows."""
    n_aborted = 0
    for key, upload_id in unfinished_uploads(client, bucket):
        abort_upload(client, bucket, key, upload_id)
        n_aborted += 1
    return n_aborted


def _sentence_of(bucket: str, refusal: Refusal) -> str:
    message = f": {refusal['Message']}" if refusal.get("Message") else ""
    return printable_line(f"{refusal['Key']} in {bucket}{message}").rstrip(".")
