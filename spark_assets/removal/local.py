"""Removing local files."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from spark_assets.errors import FruitsError
from spark_assets.storage.files import readable_name
from spark_assets.storage.locations import Location

Outcome = tuple[str, int, str | None]


def remove(folder: Location, paths: Iterable[str]) -> list[Outcome]:
    """Return for each path how many files went, and why one did not.

    A link goes itself, not what it leads to.
    """
    return [_remove(folder, path) for path in paths]


def count(folder: Location, path: str) -> int:
    """Return whether there is a file.  Raises FruitsError where that cannot be seen."""
    try:
        return int(_find(folder, path) is not None)
    except OSError as error:
        raise FruitsError(
            f"the files in {folder.uri} cannot be looked at: {error.strerror}; "
            "check the permissions of the folder"
        ) from error


def paths_under(folder: Location, prefix: str) -> Iterator[str]:
    """Yield the files whose relative path begins with ``prefix``, as the tables write them."""
    if prefix.startswith("/"):  # as a key in S3 may, and no file here
        return
    parent = prefix.rpartition("/")[0]
    for root, _, names in os.walk(Path(folder.base, parent)):
        for name in names:
            path = readable_name(os.path.relpath(os.path.join(root, name), folder.base))
            if path.startswith(prefix):
                yield path


def _remove(folder: Location, path: str) -> Outcome:
    try:
        file = _find(folder, path)
        if file is None:
            return path, 0, None
        if _leads_out(folder, file):
            return path, 0, "a linked folder leads to it from elsewhere; remove it where it is"
        os.unlink(file)
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else type(error).__name__
        return path, 0, f"{reason}; check the permissions of the folder"
    return path, 1, None


def _find(folder: Location, path: str) -> str | None:
    """Return the file that the tables name so, or None; what cannot be seen is not taken for gone.

    Throws OSError.  A name that is not valid UTF-8 stands in the tables in a readable form.
    """
    found = folder.base
    for part in path.split("/"):
        direct = os.path.join(found, part)
        if _is_there(direct):
            found = direct
        elif "\\x" in part and (name := _unreadable_name(found, part)) is not None:
            found = os.path.join(found, name)
        else:
            return None
    return found


def _is_there(path: str) -> bool:
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def _leads_out(folder: Location, file: str) -> bool:
    """Tell whether a link among the folders of a file leads out of the one that was given."""
    top, parent = os.path.realpath(folder.base), os.path.realpath(os.path.dirname(file))
    return not f"{parent}/".startswith(f"{top.rstrip('/')}/")


def _unreadable_name(folder: str, readable: str) -> str | None:
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return next((name for name in names if readable_name(name) == readable), None)
