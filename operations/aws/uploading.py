"""Upload of photographs from a local folder to the bucket; unchanged ones are skipped."""

import hashlib
import os
from dataclasses import dataclass
from functools import partial
from io import BufferedReader

import boto3.s3.transfer
import botocore.exceptions

from operations.aws.clients import Client, aws_client
from operations.aws.parallel import counted, in_parallel
from spark_assets.errors import FruitsError
from spark_assets.images.listing import (
    ImageEntry,
    check_images_exist,
    entries_in,
    list_images,
)
from spark_assets.images.regular_files import NotRegularFile, open_regular_file
from spark_assets.output.erasure_denylist import ErasureDenylist, read_denylist
from spark_assets.output.output import Output
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location
from spark_assets.text.printable import printable_line

# One request of 30 to 100 ms per photograph, most of it latency.
N_UPLOADS = 16
MAX_KEY_BYTES = 1024

# Photographs are uploaded in parallel; the parts of a large one need no more threads.
_TRANSFER = boto3.s3.transfer.TransferConfig(use_threads=False)


@dataclass(frozen=True, slots=True)
class UploadCounts:
    """Counts of the images of a folder."""

    n_uploaded: int
    n_unchanged: int
    n_refused: int

    @property
    def n_images(self) -> int:
        return self.n_uploaded + self.n_unchanged + self.n_refused


@dataclass(frozen=True, slots=True)
class _Erased:
    """The photographs erased from an output, which are not uploaded again."""

    digests: ErasureDenylist
    output: Location

    def refusal(self, file: BufferedReader) -> str | None:
        """Return why a file is refused, or None; reads it only if the output has erasures."""
        if not self.digests:
            return None
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        if not self.digests.holds(digest):
            return None
        return (
            "it was erased; if it is to be there again, allow it with: fruits erase "
            f"--output {printable_line(self.output.uri)} --allow-again --sha256 {digest}"
        )


def upload_images(folder: Location, images: Location, output: Location) -> UploadCounts:
    """Upload the images below ``folder`` to the prefix ``images``, under the same relative paths.

    Images that cannot be uploaded, or were erased from ``output``, are printed one by one and do
    not stop the others.  Raises FruitsError for a folder that does not exist or holds no image.
    """
    check_images_exist(folder)
    entries = [*entries_in(list_images(folder))]
    if not entries:
        raise FruitsError(
            f"the images folder {printable_line(folder.uri)} holds no image; "
            "give a folder of photographs"
        )
    echo(f"{len(entries)} images in {printable_line(folder.uri)}; listing those uploaded before")
    uploaded = {entry.path: entry for entry in entries_in(list_images(images))}
    to_upload = [entry for entry in entries if not _is_unchanged(entry, uploaded.get(entry.path))]
    erased = _Erased(read_denylist(Output.open(output)), output)
    upload = partial(_upload, aws_client("s3", n_connections=N_UPLOADS), folder, images, erased)
    n_refused = 0
    with counted("image", total=len(to_upload)) as add:
        for refusal in in_parallel(upload, to_upload, n_threads=N_UPLOADS):
            add(1)
            if refusal is not None:
                n_refused += 1
                echo(f"fruits: {refusal}")
    n_unchanged = len(entries) - len(to_upload)
    return UploadCounts(len(to_upload) - n_refused, n_unchanged, n_refused)


def _is_unchanged(local: ImageEntry, uploaded: ImageEntry | None) -> bool:
    """Return whether an object has the size of the file and is not older than it.

    S3's times are whole seconds: a file changed within the second of its upload is uploaded again.
    """
    if uploaded is None or local.modified_at is None or uploaded.modified_at is None:
        return False
    same_size = local.size_bytes == uploaded.size_bytes
    return same_size and uploaded.modified_at >= local.modified_at


def _upload(
    client: Client, folder: Location, images: Location, erased: _Erased, entry: ImageEntry
) -> str | None:
    """Upload one image; return the reason of a refusal, or None."""
    path, key = f"{folder.base}/{entry.path}", f"{images.prefix}{entry.path}"
    reason = _refusal(path, key, entry)
    if reason is None:
        try:
            with open_regular_file(path) as file:
                reason = erased.refusal(file)
                if reason is None:
                    client.upload_fileobj(file, images.bucket, key, Config=_TRANSFER)
        except botocore.exceptions.BotoCoreError:  # some are an OSError too, and none is the file's
            raise
        except NotRegularFile as error:
            reason = f"it is {error}; remove it"
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}; check the permissions"
    return None if reason is None else f"{printable_line(entry.path)} is not uploaded: {reason}"


def _refusal(path: str, key: str, entry: ImageEntry) -> str | None:
    if not os.path.lexists(path) and entry.size_bytes is None:
        return "its name is not valid UTF-8, which S3 asks for, or its path too long; rename it"
    if os.path.islink(path) and not os.path.exists(path):
        return "the link leads nowhere; mend or remove it"
    if (n_bytes := len(key.encode())) > MAX_KEY_BYTES:
        return (
            f"its key would have {n_bytes} bytes, and S3 allows {MAX_KEY_BYTES}; shorten its path"
        )
    return None
