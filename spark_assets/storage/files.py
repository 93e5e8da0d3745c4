"""Small files and folders under an output, local or in S3, each written whole or not at all."""

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
    """Return the content of a file, or None where there is no such file."""
    try:
        with location.filesystem.open_input_file(location.base) as stream:
            content: bytes = stream.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return content


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to read from: its name in messages, and what returns a file of it, None if absent.

    It may be more than one place: a ``.zip``, or a folder that a commit is moving files into.
    """

    uri: str
    read: Callable[[str], bytes | None]

    @classmethod
    def at(cls, location: Location) -> "Folder":
        """Return a folder that is in one place."""
        return cls(location.uri, lambda name: read_bytes(location.child(name)))


def read_json(location: Location) -> dict[str, Any] | None:
    """Return the object in a JSON file, or None where there is no such file."""
    content = read_bytes(location)
    return None if content is None else json.loads(content)


def write_bytes(location: Location, content: bytes) -> None:
    """Write a file so that readers see all of it or none, and the folder that is to hold it.

    Raises FruitsError where the place cannot be written.
    """
    try:
        if location.s3 is None:
            os.makedirs(os.path.dirname(location.base), exist_ok=True)
    except OSError as error:
        raise FruitsError(write_failure(location.uri, error)) from error
    write_into(location, content)


def write_into(location: Location, content: bytes) -> None:
    """Write a file as `write_bytes` does, into a folder that is there.

    A local one that has been removed meanwhile is not made again: what a task of a failed run
    still writes is lost with it.
    """
    filesystem = location.filesystem
    try:
        if location.s3 is not None:  # an object appears when its upload is complete
            with filesystem.open_output_stream(location.base) as stream:
                stream.write(content)
            return
        folder, _, name = location.base.rpartition("/")
        # Hidden, for Spark reads any other file of a table; and of one attempt of a task alone.
        partial = f"{folder}/.{name}.{uuid4().hex[:8]}.partial"
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, location.base)
    except OSError as error:
        raise FruitsError(write_failure(location.uri, error)) from error


def copy_or_move(source: Location, target: Location) -> None:
    """Put a file in place of one that may be there; do nothing where there is no source.

    A local one is moved.  In S3 it is copied, and the source left for `delete_files`.
    """
    with suppress(FileNotFoundError):
        if source.s3 is not None:
            source.filesystem.copy_file(source.base, target.base)
            return
        os.makedirs(os.path.dirname(target.base), exist_ok=True)
        os.replace(source.base, target.base)


def write_json(location: Location, value: dict[str, Any]) -> None:
    """Write an object as indented JSON.  Raises FruitsError as `write_bytes` does."""
    write_bytes(location, to_json(value))


def to_json(value: dict[str, Any]) -> bytes:
    """Return an object as indented JSON."""
    return f"{json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)}\n".encode()


def make_folder(folder: Location) -> None:
    """Make a local folder and those above it.  S3 has none: a marker would be one more object."""
    if folder.s3 is None:
        os.makedirs(folder.base, exist_ok=True)


def names_in(folder: Location) -> list[str]:
    """Return the names in a folder, sorted; none where there is no such folder."""
    selector = pyarrow.fs.FileSelector(folder.base, allow_not_found=True)
    return sorted(info.base_name for info in folder.filesystem.get_file_info(selector))


def readable_name(name: str) -> str:
    """Return a local name as tables hold it: what is not valid UTF-8 as an escape."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def delete_folder(folder: Location) -> None:
    """Delete a folder with all that it holds, if it is there."""
    if folder.s3 is not None:
        from spark_assets.storage.s3 import delete_below

        delete_below(folder)
        return
    while os.path.isdir(folder.base):
        try:
            shutil.rmtree(folder.base)
        except OSError as error:
            # A task of a failed run is writing into it, as long as it is there.
            if error.errno not in (errno.ENOTEMPTY, errno.ENOENT):
                raise


def delete_empty_folders(parent: Location, names: Iterable[str]) -> None:
    """Delete those folders of a local one that are empty; S3 has none."""
    if parent.s3 is None:
        for name in sorted(names):
            try:
                os.rmdir(parent.child(name).base)
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.ENOTDIR, errno.ENOTEMPTY):
                    raise


def delete_files(files: Sequence[Location]) -> None:
    """Delete files of one place, those that are there; in S3 a thousand by a request."""
    if files and files[0].s3 is not None:
        from spark_assets.storage.s3 import delete_objects

        delete_objects(files)
        return
    for file in files:
        with suppress(FileNotFoundError, NotADirectoryError):
            os.unlink(file.base)


def write_failure(uri: str, error: OSError) -> str:
    """Tell in one sentence why a place cannot be written."""
    if error.errno == errno.ENOSPC:
        return f"the disk is full while writing {uri}; free some space and run it again"
    if (code := code_in(str(error))) is not None:
        return f"the output {uri} cannot be written: {sentence_of_code(code)}"
    reason = os.strerror(error.errno) if error.errno else str(error)
    return f"the output {uri} cannot be written: {reason}; choose a place that you may write to"
