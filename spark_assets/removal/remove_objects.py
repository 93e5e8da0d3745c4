"""Removing objects in S3 with every version of them."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice, takewhile

import botocore.exceptions

from spark_assets.removal.s3_versions import (
    BATCH_SIZE,
    Refusal,
    Version,
    abort_upload,
    delete_versions,
    unfinished_uploads,
)
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import Client, error_code, s3_client
from spark_assets.storage.s3_answers import sentence_of_code

# A path, how many versions were removed, and the reason if one was not.
Outcome = tuple[str, int, str | None]

_N_THREADS = 8


@dataclass(frozen=True, slots=True)
class _Listed:
    """A version or a delete marker."""

    key: str
    version_id: str
    is_latest: bool
    is_marker: bool


def remove(folder: Location, paths: Iterable[str]) -> list[Outcome]:
    """Remove every version, delete marker and unfinished upload of each path."""
    client = _client(folder)
    with ThreadPoolExecutor(_N_THREADS) as pool:
        return list(pool.map(partial(_remove, client, folder), paths))


def count(folder: Location, path: str) -> int:
    client, key = _client(folder), f"{folder.prefix}{path}"
    n_versions = sum(1 for _ in _versions_of(client, folder.bucket, key))
    return n_versions + sum(1 for _ in _uploads_of(client, folder.bucket, key))


def paths_under(folder: Location, prefix: str) -> Iterator[str]:
    """Yield the paths of current and old versions below a prefix, each once."""
    last = None
    for listed in _listed(_client(folder), folder.bucket, folder.prefix + prefix):
        if listed.key != last:
            last = listed.key
            yield last.removeprefix(folder.prefix)


def purge(folder: Location) -> tuple[int, list[tuple[str, str]]]:
    """Delete all but the current objects; return the number deleted, and refused keys with reasons.

    Repeated until a listing deletes nothing: a marker is deleted after the versions that it hides.
    """
    client = _client(folder)
    n_removed = 0
    while True:
        n_deleted, refused = _purge_once(client, folder.bucket, folder.prefix)
        n_removed += n_deleted
        if not n_deleted:
            return n_removed, refused


def _purge_once(client: Client, bucket: str, prefix: str) -> tuple[int, list[tuple[str, str]]]:
    n_removed = 0
    refused: list[tuple[str, str]] = []
    # Uploads first: one that is completed meanwhile makes an old version.
    for key, upload_id in unfinished_uploads(client, bucket, prefix):
        abort_upload(client, bucket, key, upload_id)
        n_removed += 1
    for batch in _batches(_old(client, bucket, prefix)):
        refusals = delete_versions(client, bucket, batch)
        n_removed += len(batch) - len(refusals)
        refused += [(each["Key"], _sentence_of(each)) for each in refusals]
    return n_removed, refused


def _old(client: Client, bucket: str, prefix: str) -> Iterator[_Listed]:
    """Yield the old versions of each key, or its delete markers where it has none.

    A deleted object is current again if its marker is deleted while a version remains.
    """
    for _, of_key in groupby(_listed(client, bucket, prefix), key=lambda listed: listed.key):
        listed = list(of_key)
        versions = [one for one in listed if not one.is_marker and not one.is_latest]
        yield from versions or [one for one in listed if one.is_marker]


def _remove(client: Client, folder: Location, path: str) -> Outcome:
    key, bucket = f"{folder.prefix}{path}", folder.bucket
    n_removed = 0
    try:
        for key_of_upload, upload_id in list(_uploads_of(client, bucket, key)):
            abort_upload(client, bucket, key_of_upload, upload_id)
            n_removed += 1
        # Markers last: a version whose deletion is refused is current again without its marker.
        listed = sorted(_versions_of(client, bucket, key), key=lambda one: one.is_marker)
        for _, of_kind in groupby(listed, key=lambda one: one.is_marker):
            refusals: list[Refusal] = []
            for batch in _batches(of_kind):
                refused = delete_versions(client, bucket, batch)
                n_removed += len(batch) - len(refused)
                refusals += refused
            if refusals:
                return path, n_removed, _sentence_of(refusals[0])
    except botocore.exceptions.ClientError as error:
        message = str(error.response.get("Error", {}).get("Message", ""))
        return path, n_removed, _sentence_of({"Code": error_code(error), "Message": message})
    return path, n_removed, None


def _client(folder: Location) -> Client:
    assert folder.s3 is not None
    return s3_client(folder.s3, n_connections=_N_THREADS)


def _listed(client: Client, bucket: str, prefix: str) -> Iterator[_Listed]:
    """Yield every version and delete marker below a prefix, by key."""
    pages = client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix)
    for page in pages:
        found = [
            _Listed(one["Key"], one["VersionId"], one["IsLatest"], is_marker)
            for kind, is_marker in (("Versions", False), ("DeleteMarkers", True))
            for one in page.get(kind, ())
        ]
        yield from sorted(found, key=lambda listed: listed.key.encode())


def _versions_of(client: Client, bucket: str, key: str) -> Iterator[_Listed]:
    """Yield the versions of one key.  The listing has longer keys with this prefix after it."""
    return takewhile(lambda listed: listed.key == key, _listed(client, bucket, key))


def _uploads_of(client: Client, bucket: str, key: str) -> Iterator[tuple[str, str]]:
    return (upload for upload in unfinished_uploads(client, bucket, key) if upload[0] == key)


def _batches(listed: Iterator[_Listed]) -> Iterator[list[Version]]:
    while batch := list(islice(listed, BATCH_SIZE)):
        yield [{"Key": each.key, "VersionId": each.version_id} for each in batch]


def _sentence_of(refusal: Refusal) -> str:
    """Return why a version was not deleted; S3's own message may name accounts and is dropped."""
    if "object lock" in refusal.get("Message", "").lower():
        return "S3 Object Lock keeps a version until its retention or legal hold ends"
    if refusal["Code"] in ("AccessDenied", "403"):
        return (
            "access is denied; it takes s3:DeleteObjectVersion, s3:ListBucketVersions, "
            "s3:ListBucketMultipartUploads and s3:AbortMultipartUpload, and no Object Lock on it"
        )
    return sentence_of_code(refusal["Code"])
