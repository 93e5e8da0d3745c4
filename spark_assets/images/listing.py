"""The listing of the images under a folder or a prefix.

S3 is listed with boto3 and not with pyarrow.fs, which holds a whole listing in memory (300 bytes
per key) and refuses keys such as ``a//b.jpg``; local folders with os.scandir, because pyarrow.fs
fails on a single name that is not valid UTF-8.

An image that is not listed counts as deleted.  So a local folder that cannot be listed, for lack of
permission or because a disk fails, ends the run.  Other odd entries do not:

- a link that leads nowhere or in a circle, a pipe, a socket, a device, a name that is not valid
  UTF-8, a folder too deep for its path to be named: listed, without size and time, so that reading
  rejects it as unreadable;
- a linked folder that leads back to one on the way to it, a folder that a file has replaced since,
  a name whose readable form is that of another entry: left out.
"""

import errno
import os
import stat
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

import botocore.exceptions
import pyarrow as pa

from spark_assets.errors import FruitsError
from spark_assets.images.ignored_names import is_image_name, is_searched_folder
from spark_assets.storage.files import readable_name
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import error_code, s3_client
from spark_assets.storage.s3_answers import Concern, concern_of, meaning_of
from spark_assets.storage.schemas import LISTED

# In S3 a thousand names take 50 ms and more, nearly all of it waiting.
_N_THREADS = 16
_ENTRIES_PER_BATCH = 10_000
# The errors of a path that is no folder; with any other error it may be one.
_LEADS_NOWHERE = (errno.ELOOP, errno.ENOTDIR, errno.ENAMETOOLONG)


@dataclass(frozen=True, slots=True)
class ImageEntry:
    """An image of the listing; ``path`` is relative to the images, ``/``-separated, unescaped.

    ``size_bytes`` and ``modified_at`` (UTC) are None where storage does not report them.
    """

    path: str
    size_bytes: int | None
    modified_at: datetime | None


def to_datetime(mtime_ns: int) -> datetime:
    """Return a modification time in nanoseconds as UTC, truncated to microseconds.

    All local times are converted here: with two ways to round, a file would seem changed.
    """
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=mtime_ns // 1000)


def entries_in(listed: pa.Table) -> Iterator[ImageEntry]:
    """Yield the entries of a table of `schemas.LISTED`."""
    for batch in listed.to_batches():
        for row in batch.to_pylist():
            yield ImageEntry(row["path"], row["size_bytes"], row["modified_at"])


def check_images_exist(images: Location) -> None:
    """Raise FruitsError with the reason where the images cannot be listed at all."""
    if images.s3 is None and not os.path.isdir(images.base):
        kind = "is not a folder" if os.path.exists(images.base) else "does not exist"
        raise FruitsError(f"the images folder {images.uri} {kind}; give a folder of photographs")
    for _ in islice(list_level(images, ""), 1):
        pass


def list_images(images: Location) -> pa.Table:
    """Return all images as `schemas.LISTED`, ordered by path.

    A thread lists each folder.  Raises FruitsError where a folder or bucket cannot be listed.
    """
    parts = []
    pool = ThreadPoolExecutor(_N_THREADS)
    try:
        waiting = {pool.submit(_listed_level, images, "")}
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for table, folders in (level.result() for level in done):
                parts.append(table)
                waiting.update(pool.submit(_listed_level, images, each) for each in folders)
    finally:
        pool.shutdown(cancel_futures=True)
    return pa.concat_tables(parts).sort_by("path")


def _listed_level(images: Location, folder: str) -> tuple[pa.Table, list[str]]:
    """Return the images of one folder, and its subfolders."""
    folders: list[str] = []

    def of_images() -> Iterator[ImageEntry]:
        for entry in list_level(images, folder):
            if isinstance(entry, ImageEntry):
                yield entry
            else:
                folders.append(entry)

    return table_of(of_images()), folders


def table_of(entries: Iterable[ImageEntry]) -> pa.Table:
    """Return entries as `schemas.LISTED`; at most 10,000 of them are Python objects at a time."""
    batches = []
    remaining = iter(entries)
    while block := [*islice(remaining, _ENTRIES_PER_BATCH)]:
        columns = (
            [entry.path for entry in block],
            [entry.size_bytes for entry in block],
            [entry.modified_at for entry in block],
        )
        arrays = [pa.array(c, f.type) for c, f in zip(columns, LISTED, strict=True)]
        batches.append(pa.RecordBatch.from_arrays(arrays, schema=LISTED))
    return pa.Table.from_batches(batches, LISTED)


def list_level(images: Location, folder: str) -> Iterator[ImageEntry | str]:
    """Yield the images in one folder, and its subfolders as relative paths ending in ``/``.

    Raises FruitsError where it cannot be listed.
    """
    return _s3_level(images, folder) if images.s3 else _local_level(images, folder)


def _local_level(images: Location, folder: str) -> Iterator[ImageEntry | str]:
    absolute = f"{images.base}/{folder}"
    taken: set[str] = set()
    try:
        with os.scandir(absolute) as entries:
            for entry in entries:
                if not _is_utf8(entry.name):
                    name = readable_name(entry.name)
                    if name in taken or os.path.lexists(absolute + name):
                        continue
                    taken.add(name)
                path = folder + entry.name
                if _is_folder(entry):
                    if is_searched_folder(path) and not _is_loop(entry, images.base, folder):
                        yield f"{path}/"
                    continue
                found = local_entry(path, entry)
                if is_image_name(found.path, size_bytes=found.size_bytes):
                    yield found
    except OSError as error:
        if folder and error.errno == errno.ENAMETOOLONG:
            yield ImageEntry(readable_name(folder.rstrip("/")), None, None)
        elif not folder or error.errno not in _LEADS_NOWHERE:
            raise FruitsError(
                f"the images folder {error.filename or absolute} cannot be listed: "
                f"{error.strerror}; check the name and the permissions"
            ) from error


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Return whether an entry is a folder or a link to one.  Raises OSError if that is hidden."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno in _LEADS_NOWHERE:
            return False
        raise


def local_entry(path: str, place: "str | os.DirEntry[str]") -> ImageEntry:
    """Return the entry of a local file; an odd one has no size and time, and is rejected later."""
    if not _is_utf8(path):
        # No table can hold such a name; its readable form is rejected as unreadable.
        return ImageEntry(readable_name(path), None, None)
    try:
        status = os.stat(place)
    except (OSError, ValueError):  # a dangling link, or deleted since the listing
        return ImageEntry(path, None, None)
    if not stat.S_ISREG(status.st_mode):  # the time of a pipe is that of its last use
        return ImageEntry(path, None, None)
    return ImageEntry(path, status.st_size, to_datetime(status.st_mtime_ns))


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_loop(entry: "os.DirEntry[str]", base: str, folder: str) -> bool:
    """Return whether a linked folder is one of its own parents, or holds one."""
    if not entry.is_symlink():
        return False
    target = os.path.realpath(entry.path).rstrip("/")
    folders = folder.split("/")
    way = (os.path.join(base, *folders[:depth]) for depth in range(len(folders)))
    return any(f"{os.path.realpath(each)}/".startswith(f"{target}/") for each in way)


def _s3_level(images: Location, folder: str) -> Iterator[ImageEntry | str]:
    assert images.s3 is not None
    try:
        pages = s3_client(images.s3).get_paginator("list_objects_v2")
        for page in pages.paginate(
            Bucket=images.bucket, Prefix=images.prefix + folder, Delimiter="/"
        ):
            for common in page.get("CommonPrefixes", ()):
                path = common["Prefix"].removeprefix(images.prefix)
                if is_searched_folder(path.rstrip("/")):
                    yield path
            for item in page.get("Contents", ()):
                path = item["Key"].removeprefix(images.prefix)
                if is_image_name(path, size_bytes=item["Size"]):
                    yield ImageEntry(path, item["Size"], item["LastModified"])
    except (botocore.exceptions.ClientError, botocore.exceptions.BotoCoreError) as error:
        raise FruitsError(_s3_sentence(images, error)) from error


def _s3_sentence(images: Location, error: Exception) -> str:
    assert images.s3 is not None
    if isinstance(error, botocore.exceptions.NoCredentialsError):
        return (
            f"no AWS credentials were found to list {images.uri}; run 'aws configure' or log in, "
            "or give --anonymous for a public bucket"
        )
    code = error_code(error) if isinstance(error, botocore.exceptions.ClientError) else ""
    if code == "NoSuchBucket":
        return f"the bucket {images.bucket} does not exist; check the name in {images.uri}"
    if concern_of(code) is Concern.ACCESS and not images.s3.anonymous:
        return f"access to {images.uri} is denied; ask for s3:ListBucket and s3:GetObject on it"
    if meaning := meaning_of(code, anonymous=images.s3.anonymous):
        return f"{images.uri} cannot be listed: S3 answered {code}: {meaning}"
    return f"{images.uri} cannot be listed: {error}; check the name, the region and the network"
