"""Atomic changes of an output, by a redo log.

A command writes new files below ``_staging/<id>/``, then puts ``_commit.json`` with the files to
add and to remove: this put changes the state.  The files are then moved in, others removed, and the
log deleted.  The next holder of the lease finishes a log that it finds; a reader without the lease
applies the log to its listing.

Source: C. Mohan et al., ARIES, doi:10.1145/128765.128770, of which this is the redo half: nothing
in place is overwritten before the log exists, so that nothing has to be undone.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass

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
# Folders of small files on which no other depends, and which are not staged.
_WRITTEN_IN_PLACE = ("erasures", "_erasing", "receipts")
# A copy in S3 is one request, nearly all of it waiting.
_N_THREADS_S3 = 16


@dataclass(frozen=True, slots=True)
class CommitLog:
    """The files that a change adds and removes: paths below the output, ``/``-separated."""

    change_id: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


class Change:
    """Files to add to and remove from an output; readers see them from `commit` on."""

    def __init__(self, output: Location, change_id: str) -> None:
        self.output = output
        self.change_id = change_id
        self._add: dict[str, None] = {}
        self._remove: dict[str, None] = {}

    @property
    def staging(self) -> Location:
        """The folder of its uncommitted files, whose paths are those below the output."""
        return staged(self.output, self.change_id)

    @property
    def log(self) -> CommitLog:
        """The files that it adds and removes so far."""
        removed = tuple(path for path in self._remove if path not in self._add)
        return CommitLog(self.change_id, tuple(self._add), removed)

    def put(self, path: str, content: bytes) -> None:
        """Add a file, or replace one of the same path."""
        write_bytes(self.staging.child(path), content)
        self._add[path] = None

    def put_folder(self, folder: str, files: Mapping[str, bytes]) -> None:
        """Replace all files of a folder."""
        self.remove_folder(folder)
        for name, content in files.items():
            self.put(f"{folder}/{name}", content)

    def add(self, paths: Iterable[str]) -> None:
        """Add files that are already staged."""
        self._add |= dict.fromkeys(paths)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files."""
        self._remove |= dict.fromkeys(paths)

    def remove_folder(self, folder: str) -> None:
        """Remove all files of a folder, and do not add those staged for it."""
        self._add = {path: None for path in self._add if not path.startswith(f"{folder}/")}
        self.remove(f"{folder}/{name}" for name in names_in(self.output.child(folder)))


@contextmanager
def begin(output: Location, change_id: str) -> Iterator[Change]:
    """Begin a change; files not committed by the end of the block are discarded."""
    change = Change(output, change_id)
    try:
        yield change
    finally:
        discard(change)


def commit(change: Change) -> None:
    """Commit a change, unless it is empty.

    Raises FruitsError after Ctrl-C, and where the lease of the output is lost, another change is in
    progress, or a staged file is missing (removed by hand or by the lifecycle of a bucket).
    """
    log = change.log
    if not log.add and not log.remove:
        return
    by_folder = {path.rpartition("/")[0] for path in log.add}
    staged_paths = {
        f"{folder}/{name}"
        for folder in by_folder
        for name in names_in(change.staging.child(folder))
    }
    if missing := set(log.add) - staged_paths:
        raise FruitsError(
            f"{len(missing)} of {len(log.add)} files staged for {change.output.uri} are missing, "
            "so nothing of this command is kept; run it again"
        )
    # Ctrl-C may have come after the last image.
    raise_if_interrupted()
    check_lease(change.output)
    _put_log(change.output, log)
    _redo(change.output, log)


def recover(output: Location) -> None:
    """Finish the change of an interrupted command, and remove the files left by others.

    The holder of the lease calls it before anything else.
    """
    if (log := read_log(output)) is not None:
        _redo(output, log)
    for place in leftover_files(output):
        delete_folder(place)
        if output.s3 is None:
            delete_files([place])
    delete_empty_folders(output, [_STAGING, *_WRITTEN_IN_PLACE])


def leftover_files(output: Location) -> Iterator[Location]:
    """Yield the files and folders left by interrupted commands: staged or half written.

    Files that the commit log names are not among them.
    """
    staging, log = output.child(_STAGING), read_log(output)
    in_progress = None if log is None else log.change_id
    yield from (staging.child(name) for name in names_in(staging) if name != in_progress)
    if output.s3 is None:  # S3 has no half-written objects
        for folder in (output, *map(output.child, _WRITTEN_IN_PLACE)):
            names = (name for name in names_in(folder) if name.endswith(".partial"))
            yield from (folder.child(name) for name in names if name.startswith("."))


def discard(change: Change) -> None:
    """Remove the staged files of a change, and the staging folder if it is then empty.

    A change whose log exists is kept: the next command finishes it.
    """
    log = read_log(change.output)
    if log is not None and log.change_id == change.change_id:
        return
    delete_folder(change.staging)
    delete_empty_folders(change.output, [_STAGING])


def read_log(output: Location) -> CommitLog | None:
    """Return the log of the change in progress, or None."""
    value = read_json(output.child(_LOG))
    if value is None:
        return None
    return CommitLog(value["change_id"], tuple(value["add"]), tuple(value["remove"]))


def live_files(output: Location, log: CommitLog | None, folder: str) -> dict[str, Location]:
    """Return the files of a folder by name, sorted, as they are after ``log``."""
    target = output.child(folder)
    if log is None:
        return {name: target.child(name) for name in _visible(target)}
    # Staging is listed first: a file that is moved meanwhile is then found in the target.
    staging = staged(output, log.change_id).child(folder)
    waiting = {name: staging.child(name) for name in _visible(staging)}
    found = {name: target.child(name) for name in _visible(target)}
    for name in (path.removeprefix(f"{folder}/") for path in log.remove):
        found.pop(name, None)
    added = {path.removeprefix(f"{folder}/") for path in log.add}
    found |= {name: location for name, location in waiting.items() if name in added}
    return dict(sorted(found.items()))


def staged(output: Location, change_id: str) -> Location:
    """Return the folder of the uncommitted files of a change."""
    return output.child(_STAGING, change_id)


def _visible(folder: Location) -> list[str]:
    return [name for name in names_in(folder) if not name.startswith((".", "_"))]


def _put_log(output: Location, log: CommitLog) -> None:
    """Write the log.  Raises FruitsError where another one exists."""
    content, file = to_json(asdict(log)), output.child(_LOG)
    refusal = FruitsError(
        f"another command changes {output.uri}, so nothing of this one is kept; run it again"
    )
    if output.s3 is None:  # under the lock of the lease, which the operating system keeps
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
        if read_log(output) != log:  # otherwise the response to this write was lost
            raise refusal from error


def _redo(output: Location, log: CommitLog) -> None:
    """Apply a log, or the rest of it; idempotent."""
    staging = staged(output, log.change_id)
    sources = [staging.child(path) for path in log.add]
    targets = [output.child(path) for path in log.add]
    # A disk gains nothing from concurrent renames.
    with ThreadPoolExecutor(1 if output.s3 is None else _N_THREADS_S3) as pool:
        list(pool.map(copy_or_move, sources, targets))
    delete_files([output.child(path) for path in log.remove])
    if output.s3 is not None:
        delete_files(sources)
    delete_empty_folders(output, {path.rpartition("/")[0] for path in log.remove} - {""})
    delete_files([output.child(_LOG)])
