"""Which names are looked at, and what a path says about an image."""

from pathlib import PurePosixPath

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


def label_of(path: str) -> str | None:
    """Return the name of the parent folder, or None for an image at the top."""
    return PurePosixPath(path).parent.name or None
