"""Photographs removed for good: the file, or in S3 every version, marker and unfinished upload."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spark_assets.errors import FruitsError
from spark_assets.removal import local, objects
from spark_assets.storage.locations import Location


@dataclass(frozen=True, slots=True)
class Removal:
    """What went, and what did not: ``refusals`` are paths with the reason, as a sentence."""

    n_removed: int = 0
    refusals: tuple[tuple[str, str], ...] = ()


def remove_files(folder: Location, paths: Iterable[str]) -> Removal:
    """Remove some files below a folder or a prefix; what is gone already is no refusal.

    ``paths`` are relative and byte-exact.  Raises FruitsError for one that leads out of the folder.
    """
    checked = [_below(path) for path in paths]
    remove = objects.remove if folder.s3 is not None else local.remove
    outcomes = remove(folder, checked)
    n_removed = sum(n for _, n, _ in outcomes)
    return Removal(n_removed, tuple((path, why) for path, _, why in outcomes if why is not None))


def purge_old_versions(folder: Location) -> Removal:
    """Remove what S3 keeps below a prefix beside the current objects.

    These are old versions, delete markers and uploads that were never completed.  Nothing is kept
    locally.
    """
    if folder.s3 is None:
        return Removal()
    n_removed, refusals = objects.purge(folder)
    return Removal(n_removed, tuple(refusals))


def count_versions(folder: Location, path: str) -> int:
    """Return how much there is of a file: in S3 versions, delete markers and unfinished uploads."""
    return objects.count(folder, path) if folder.s3 is not None else local.count(folder, path)


def paths_under(folder: Location, prefix: str) -> Iterator[str]:
    """Yield the paths that begin with ``prefix``, in S3 those of old versions too."""
    under = objects.paths_under if folder.s3 is not None else local.paths_under
    return under(folder, prefix)


def _below(path: str) -> str:
    if not path or ".." in path.split("/"):
        raise FruitsError(f"{path!r} leads out of the images; give a path relative to them")
    return path
