"""A change of an output: all of its files are there at once, or none is.

A redo log, as databases have it.  A command writes new files below ``_staging/<id>/``, then puts
``_commit.json`` with the files to add and to remove: that put is the moment at which the state
changes.  The files are then moved in, others removed, and the log deleted.  Whoever holds the lease
next finishes a log that is there; a reader without the lease lays it over what it lists.

Source: C. Mohan et al., ARIES, doi:10.1145/128765.128770, of which this is the redo half: nothing
in place is overwritten before the log is there, so that nothing has to be undone.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

import botocore.exceptions

from spark_assets.errors import FruitsError
from spark_assets.output.lease import check_lease
from spark_assets.runtime.signals import raise_if_interrupted
from spark_assets.storage.files import (
    copy_or_move,
    delete_empty_folders,
    delete_files,
    delete_folder,
    names_in,
    read_json,
    to_json,
    write_bytes,
)
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import error_code, s3_client

_LOG, _STAGING = "_commit.json", "_staging"
# Folders of small files that no other depends on, which are not staged.
_WRITTEN_IN_PLACE = ("erasures", "_erasing", "receipts")
# In S3 a file is copied by a request, nearly all of it waiting.
_N_THREADS_S3 = 16


@dataclass(frozen=True, slots=True)
class CommitLog:
    """What a change adds and removes: paths of files below the output, ``/``-separated."""

    change_id: str
    add: tuple[str, ...]
    remove: tuple[str, ...]

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "CommitLog":
        return cls(value["change_id"], tuple(value["add"]), tuple(value["remove"]))


class Change:
    """Files on their way into an output; nothing of it is visible before `commit`."""

    def __init__(self, output: Location, change_id: str) -> None:
        self.output = output
        self.change_id = change_id
        self._add: dict[str, None] = {}
        self._remove: dict[str, None] = {}

    @property
    def staging(self) -> Location:
        """Where its files are until they are committed, by the same paths as below the output."""
        return staged(self.output, self.change_id)

    @property
    def log(self) -> CommitLog:
        """What it adds and removes so far."""
        gone = tuple(path for path in self._remove if path not in self._add)
        return CommitLog(self.change_id, tuple(self._add), gone)

    def put(self, path: str, content: bytes) -> None:
        """Add a file, in place of one that may be there."""
        write_bytes(self.staging.child(path), content)
        self._add[path] = None

    def put_folder(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Add files, in place of all that a folder holds."""
        self.remove_folder(folder)
        for name, content in files.items():
            self.put(f"{folder}/{name}", content)

    def add(self, paths: Iterable[str]) -> None:
        """Add files that are staged already."""
        self._add |= dict.fromkeys(paths)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        self._remove |= dict.fromkeys(paths)

    def remove_folder(self, folder: str) -> None:
        """Remove all files of a folder, those that it was to add too."""
        self._add = {path: None for path in self._add if not path.startswith(f"{folder}/")}
        self.remove(f"{folder}/{name}" for name in names_in(self.output.child(folder)))


@contextmanager
def begin(output: Location, change_id: str) -> Iterator[Change]:
    """Begin a change; what is staged and not committed when the block ends is discarded."""
    change = Change(output, change_id)
    try:
        yield change
    finally:
        discard(change)


def commit(change: Change) -> None:
    """Make a change, if it has any.

    Raises FruitsError where the work was interrupted, the lease of the output was lost, another
    change is under way, or a staged file is gone: somebody has removed it, or the lifecycle of a
    bucket.
    """
    log = change.log
    if not log.add and not log.remove:
        return
    by_folder = {path.rpartition("/")[0] for path in log.add}
    held = {
        f"{folder}/{name}"
        for folder in by_folder
        for name in names_in(change.staging.child(folder))
    }
    if gone := set(log.add) - held:
        raise FruitsError(
            f"{len(gone)} of {len(log.add)} files that were staged for {change.output.uri} are "
            "gone, so nothing of this command is kept; give it again"
        )
    # Ctrl-C may have come after the last image was looked at.
    raise_if_interrupted()
    check_lease(change.output)
    _put_log(change.output, log)
    _redo(change.output, log)


def recover(output: Location) -> None:
    """Finish a change whose command died, and remove what others have staged.

    To be called by whoever has taken the lease, before anything else.
    """
    if (log := read_log(output)) is not None:
        _redo(output, log)
    for place in leftover_files(output):
        delete_folder(place)
        if output.s3 is None:
            delete_files([place])
    delete_empty_folders(output, [_STAGING, *_WRITTEN_IN_PLACE])


def leftover_files(output: Location) -> Iterator[Location]:
    """Yield what commands that died have left: staged files, and small ones half written.

    What the log of a change names is no garbage.
    """
    staging, log = output.child(_STAGING), read_log(output)
    of_change = None if log is None else log.change_id
    yield from (staging.child(name) for name in names_in(staging) if name != of_change)
    if output.s3 is None:  # where a file is there when it is whole
        for folder in (output, *map(output.child, _WRITTEN_IN_PLACE)):
            names = (name for name in names_in(folder) if name.endswith(".partial"))
            yield from (folder.child(name) for name in names if name.startswith("."))


def discard(change: Change) -> None:
    """Remove what is staged, and the folder of staged files with the last of it.

    Unless the log of the change is there, whose end has failed: the next command makes it.
    """
    log = read_log(change.output)
    if log is not None and log.change_id == change.change_id:
        return
    delete_folder(change.staging)
    delete_empty_folders(change.output, [_STAGING])


def read_log(output: Location) -> CommitLog | None:
    """Return the change that is under way, or was when its command died."""
    value = read_json(output.child(_LOG))
    return None if value is None else CommitLog.from_json(value)


def live_files(output: Location, log: CommitLog | None, folder: str) -> dict[str, Location]:
    """Return the files of a folder by name, in order of the names, as they are after ``log``."""
    place = output.child(folder)
    if log is None:
        return {name: place.child(name) for name in _visible(place)}
    # Staged ones first: one that is moved in between is found where it has gone to.
    in_staging = staged(output, log.change_id).child(folder)
    waiting = {name: in_staging.child(name) for name in _visible(in_staging)}
    found = {name: place.child(name) for name in _visible(place)}
    for name in (path.removeprefix(f"{folder}/") for path in log.remove):
        found.pop(name, None)
    added = {path.removeprefix(f"{folder}/") for path in log.add}
    found |= {name: location for name, location in waiting.items() if name in added}
    return dict(sorted(found.items()))


def staged(output: Location, change_id: str) -> Location:
    """Return where the files of a change are until they are moved in."""
    return output.child(_STAGING, change_id)


def _visible(folder: Location) -> list[str]:
    return [name for name in names_in(folder) if not name.startswith((".", "_"))]


def _put_log(output: Location, log: CommitLog) -> None:
    """Put a log where there is none.  Raises FruitsError where there is one."""
    content, file = to_json(asdict(log)), output.child(_LOG)
    refusal = FruitsError(
        f"another command changes {output.uri}, so nothing of this one is kept; give it again"
    )
    if output.s3 is None:  # under the lock of the lease, which the system keeps
        if read_log(output) is not None:
            raise refusal
        write_bytes(file, content)
        return
    client = s3_client(output.s3)
    _, _, key = file.base.partition("/")
    try:
        client.put_object(Bucket=file.bucket, Key=key, Body=content, IfNoneMatch="*")
    except botocore.exceptions.ClientError as error:
        if error_code(error) not in ("PreconditionFailed", "ConditionalRequestConflict"):
            raise
        if read_log(output) != log:  # else the answer to this very write was lost
            raise refusal from error


def _redo(output: Location, log: CommitLog) -> None:
    """Do what a log says, or what is left of it; the same whether it is done once or again."""
    staging = staged(output, log.change_id)
    sources = [staging.child(path) for path in log.add]
    targets = [output.child(path) for path in log.add]
    # One after the other on a disk, whose log of its own wants no more.
    with ThreadPoolExecutor(1 if output.s3 is None else _N_THREADS_S3) as pool:
        list(pool.map(copy_or_move, sources, targets))
    delete_files([output.child(path) for path in log.remove])
    if output.s3 is not None:
        delete_files(sources)
    delete_empty_folders(output, {path.rpartition("/")[0] for path in log.remove} - {""})
    delete_files([output.child(_LOG)])
