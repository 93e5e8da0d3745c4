"""Names of files and folders that are ignored in a folder of photographs."""

# Names alone, never endings: cameras write _DSC0001.JPG, and content decides what an image is.
_SPARK_NAMES = ("_SUCCESS",)
_SPARK_PREFIXES = ("_committed_", "_started_")
_SPARK_FOLDERS = ("_temporary",)
_FOLDER_MARKER = "_$folder$"
# Of operating systems, archives and network drives, whose names ignore case; in lower case.
_SYSTEM_FILES = frozenset(
    ("thumbs.db", "ehthumbs.db", "ehthumbs_vista.db", "desktop.ini", "icon\r")
)
_SYSTEM_FOLDERS = frozenset(
    (
        "$recycle.bin", "system volume information",  # Windows
        "__macosx", "network trash folder",  # macOS: its archives, its network drives
        "lost+found",  # Linux: nobody but root can list it
        "@eadir", "#recycle", "#snapshot", "@recycle", "@recently-snapshot",  # Synology, QNAP
    )
)  # fmt: skip


def is_image_name(path: str, *, size_bytes: int | None = None) -> bool:
    """Return whether a path, relative to the images, is listed as an image.

    Ignored are names that begin with ``.`` (folders too), what operating systems put into folders
    (``Thumbs.db``, ``desktop.ini``, ``__MACOSX``, ``@eaDir``), what Spark writes beside its tables,
    and the zero-byte objects by which S3 tools mark a folder.
    """
    *folders, name = path.split("/")
    if size_bytes == 0 and (not name or name.endswith(_FOLDER_MARKER)):
        return False
    if name in _SPARK_NAMES or name.startswith(_SPARK_PREFIXES):
        return False
    if name.lower() in _SYSTEM_FILES:
        return False
    return is_searched_folder("/".join(folders)) and not name.startswith(".")


def is_searched_folder(path: str) -> bool:
    """Return whether a folder, relative to the images, is searched for images."""
    return not any(
        folder.startswith(".") or folder in _SPARK_FOLDERS or folder.lower() in _SYSTEM_FOLDERS
        for folder in path.split("/")
    )
