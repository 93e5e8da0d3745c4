"""Photographs removed for good: the file, or in S3 every version, marker and unfinished upload."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from spark_assets.errors import FruitsError
from spark_assets.removal import remove_objects
from spark_assets.storage.files import readable_name
from spark_assets.storage.locations import Location


@dataclass(frozen=True, slots=True)
class Removal:
    """How much was removed, and the ``refusals``: paths with the reason, as a sentence."""

    n_removed: int = 0
    refusals: tuple[tuple[str, str], ...] = ()


def remove_files(folder: Location, paths: Iterable[str]) -> Removal:
    """Remove files below a folder or a prefix; one that does not exist is no refusal.

    ``paths`` are relative and byte-exact.  Raises FruitsError for one that leads out of the folder.
    """
    checked = [_below(path) for path in paths]
    if folder.s3 is not None:
        outcomes = remove_objects.remove(folder, checked)
    else:
        outcomes = [(path, *_remove_local(folder, path)) for path in checked]
    n_removed = sum(n for _, n, _ in outcomes)
    return Removal(n_removed, tuple((path, why) for path, _, why in outcomes if why is not None))


def purge_old_versions(folder: Location) -> Removal:
    """Remove the old versions, delete markers and unfinished uploads below a prefix of S3.

    A local folder has none of them.
    """
    if folder.s3 is None:
        return Removal()
    n_removed, refusals = remove_objects.purge(folder)
    return Removal(n_removed, tuple(refusals))


def count_versions(folder: Location, path: str) -> int:
    """Return the number of versions, delete markers and unfinished uploads of a path in S3.

    For a local file it is 0 or 1.  Raises FruitsError where the folder cannot be read.
    """
    if folder.s3 is not None:
        return remove_objects.count(folder, path)
    try:
        return int(_find(folder, path) is not None)
    except OSError as error:
        raise FruitsError(
            f"the files in {folder.uri} cannot be listed: {error.strerror}; "
            "check the permissions of the folder"
        ) from error


def paths_under(folder: Location, prefix: str) -> Iterator[str]:
    """Yield the paths that begin with ``prefix``, in S3 those of old versions too."""
    if folder.s3 is not None:
        yield from remove_objects.paths_under(folder, prefix)
        return
    if prefix.startswith("/"):  # a key in S3 may, a relative path may not
        return
    for root, _, names in os.walk(Path(folder.base, prefix.rpartition("/")[0])):
        for name in names:
            path = readable_name(os.path.relpath(os.path.join(root, name), folder.base))
            if path.startswith(prefix):
                yield path


def _below(path: str) -> str:
    if not path or ".." in path.split("/"):
        raise FruitsError(f"{path!r} leads out of the images; give a path relative to them")
    return path


def _remove_local(folder: Location, path: str) -> tuple[int, str | None]:
    """Return how many files were removed, and the reason if one was not.

    Of a link, the link is removed and not its target.
    """
    try:
        file = _find(folder, path)
        if file is None:
            return 0, None
        if _leads_out(folder, file):
            return 0, "a linked folder leads to it from elsewhere; remove it where it is"
        os.unlink(file)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return 0, f"{reason}; check the permissions of the folder"
    return 1, None


def _find(folder: Location, path: str) -> str | None:
    """Return the local file that the tables call ``path``, or None where it does not exist.

    Throws OSError for a folder that cannot be read, which may hold the file.  The tables hold a
    name that is not valid UTF-8 in an escaped form.
    """
    found = folder.base
    for part in path.split("/"):
        direct = os.path.join(found, part)
        if _exists(direct):
            found = direct
        elif "\\x" in part and (name := _unreadable_name(found, part)) is not None:
            found = os.path.join(found, name)
        else:
            return None
    return found


def _exists(path: str) -> bool:
    # `os.path.lexists` answers False for a folder that cannot be read, too.
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _leads_out(folder: Location, file: str) -> bool:
    """Return whether a link among the parent folders of a file leads out of ``folder``."""
    top, parent = os.path.realpath(folder.base), os.path.realpath(os.path.dirname(file))
    return not f"{parent}/".startswith(f"{top.rstrip('/')}/")


def _unreadable_name(folder: str, readable: str) -> str | None:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((name for name in names if readable_name(name) == readable), None)
