"""Small files and folders, local or in S3; each file is written whole or not at all."""

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pyarrow.fs

from spark_assets.errors import FruitsError
from spark_assets.storage.locations import Location
from spark_assets.storage.s3_answers import code_in, sentence_of_code


def read_bytes(location: Location) -> bytes | None:
    """Return the content of a file, or None."""
    try:
        with location.filesystem.open_input_file(location.base) as stream:
            content: bytes = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return content


@dataclass(frozen=True, slots=True)
class Folder:
    """A readable folder: its name in messages, and a function from file name to content or None.

    It may be a ``.zip``, or a folder that a commit is moving files into.
    """

    uri: str
    read: Callable[[str], bytes | None]

    @classmethod
    def at(cls, location: Location) -> "Folder":
        """Return the folder at a location."""
        return cls(location.uri, lambda name: read_bytes(location.child(name)))


def read_json(location: Location) -> dict[str, Any] | None:
    """Return the object in a JSON file, or None."""
    content = read_bytes(location)
    return None if content is None else json.loads(content)


def write_bytes(location: Location, content: bytes) -> None:
    """Write a file atomically, and create its folder.

    Raises FruitsError where the location cannot be written.
    """
    try:
        if location.s3 is None:
            os.makedirs(os.path.dirname(location.base), exist_ok=True)
    except OSError as error:
        raise FruitsError(write_failure(location.uri, error)) from error
    write_into(location, content)


def write_into(location: Location, content: bytes) -> None:
    """Write a file atomically into an existing folder.

    A removed local folder is not created again: late files of a failed run are lost with it.
    """
    filesystem = location.filesystem
    try:
        if location.s3 is not None:  # an object appears when its upload is complete
            with filesystem.open_output_stream(location.base) as stream:
                stream.write(content)
            return
        folder, _, name = location.base.rpartition("/")
        # Hidden from Spark, which reads all other files of a table; its name is of one attempt.
        partial = f"{folder}/.{name}.{uuid4().hex[:8]}.partial"
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, location.base)
    except OSError as error:
        raise FruitsError(write_failure(location.uri, error)) from error


def copy_or_move(source: Location, target: Location) -> None:
    """Move a local file, or copy an object in S3, whose source is left for `delete_files`.

    A file at the target is replaced.  Without a source, nothing happens.
    """
    with suppress(FileNotFoundError):
        if source.s3 is not None:
            source.filesystem.copy_file(source.base, target.base)
            return
        os.makedirs(os.path.dirname(target.base), exist_ok=True)
        os.replace(source.base, target.base)


def write_json(location: Location, value: dict[str, Any]) -> None:
    """Write an object as indented JSON.  Raises FruitsError as `write_bytes`."""
    write_bytes(location, to_json(value))


def to_json(value: dict[str, Any]) -> bytes:
    """Return an object as indented JSON."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)}\n".encode()


def make_folder(folder: Location) -> None:
    """Create a local folder and its parents.  S3 needs none."""
    if folder.s3 is None:
        os.makedirs(folder.base, exist_ok=True)


def names_in(folder: Location) -> list[str]:
    """Return the names in a folder, sorted; none for a missing folder."""
    selector = pyarrow.fs.FileSelector(folder.base, allow_not_found=True)
    return sorted(info.base_name for info in folder.filesystem.get_file_info(selector))


def readable_name(name: str) -> str:
    """Return a local name as tables hold it: bytes that are not UTF-8 are escaped."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def delete_folder(folder: Location) -> None:
    """Delete a folder with its content, if it exists."""
    if folder.s3 is not None:
        from spark_assets.storage.s3 import delete_below  # botocore takes 40 ms

        delete_below(folder)
        return
    while os.path.isdir(folder.base):
        try:
            shutil.rmtree(folder.base)
        except OSError as error:
            # A task of a failed run may still write into it.
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise


def delete_empty_folders(parent: Location, names: Iterable[str]) -> None:
    """Delete the empty ones of some folders below a local folder; S3 has none."""
    if parent.s3 is None:
        for name in sorted(names):
            try:
                os.rmdir(parent.child(name).base)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY):
                    raise


def delete_files(files: Sequence[Location]) -> None:
    """Delete files of one storage, if they exist; in S3 a thousand per request."""
    if files and files[0].s3 is not None:
        from spark_assets.storage.s3 import delete_objects  # botocore takes 40 ms

        delete_objects(files)
        return
    for file in files:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(file.base)


def write_failure(uri: str, error: OSError) -> str:
    """Return in one sentence why a location cannot be written."""
    if error.errno == errno.ENOSPC:
        return f"the disk is full while writing {uri}; free some space and run it again"
    if (code := code_in(str(error))) is not None:
        return f"the output {uri} cannot be written: {sentence_of_code(code)}"
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"the output {uri} cannot be written: {reason}; choose a place that you may write to"
