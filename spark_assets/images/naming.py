"""Which names are looked at, and what a path says about an image."""

import re
from dataclasses import dataclass

from spark_assets.errors import FruitsError

# Names alone, never endings: cameras write _DSC0001.JPG, and content decides what an image is.
_SPARK_NAMES = ("_SUCCESS",)
_SPARK_PREFIXES = ("_committed_", "_started_")
_SPARK_FOLDERS = ("_temporary",)
_FOLDER_MARKER = "_$folder$"


def is_looked_at(path: str, *, size_bytes: int | None = None) -> bool:
    """Tell whether a path, relative to the images, is taken for an image.

    Left out are names that begin with ``.`` (folders too), what Spark writes beside its tables,
    and the zero-byte objects by which S3 tools mark a folder.
    """
    *folders, name = path.split("/")
    if size_bytes == 0 and (not name or name.endswith(_FOLDER_MARKER)):
        return False
    if name in _SPARK_NAMES or name.startswith(_SPARK_PREFIXES):
        return False
    return is_folder_looked_at("/".join(folders)) and not name.startswith(".")


def is_folder_looked_at(path: str) -> bool:
    """Tell whether a folder, relative to the images, is searched."""
    return not any(folder.startswith(".") or folder in _SPARK_FOLDERS for folder in path.split("/"))


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Which part of a path, relative to the images, is the label.

    ``level`` 1 is the folder that holds the image, 2 the one above it.  ``regex``, where there is
    one, is searched in the path instead: the label is its first group, or all that it matches where
    it has no group.  It is Python's: one with repetitions within repetitions, such as ``(a+)+$``,
    can take for ever on a long name.

    Raises FruitsError for a level below 1 and an expression that is none.
    """

    level: int = 1
    regex: str | None = None

    def __post_init__(self) -> None:
        if self.level < 1:
            raise FruitsError(
                f"--label-level {self.level} names no folder; give 1 for the one that holds an "
                "image, 2 for the one above it"
            )
        try:
            re.compile(self.regex or "")
        except re.error as error:
            raise FruitsError(
                f"--label-regex {self.regex!r} is no regular expression ({error}); give one of "
                "Python's, such as '^([^/]+)/'"
            ) from error

    def label_of(self, path: str) -> str | None:
        """Return the label of an image, or None where its path has none."""
        if self.regex is None:
            folders = [folder for folder in path.split("/")[:-1] if folder]
            return folders[-self.level] if len(folders) >= self.level else None
        found = re.search(self.regex, path)  # compiled once: re keeps the last ones
        if found is None:
            return None
        return (found[1] if found.re.groups else found[0]) or None
