"""Opening what somebody else put into a folder: a regular file, and nothing that could hold us."""

import os
import stat
from io import BufferedReader

_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a device",
    stat.S_IFCHR: "a device",
}


class NotRegularFile(OSError):
    """What is there is no regular file; the text says what it is, and names no path."""


def open_regular_file(path: str) -> BufferedReader:
    """Open a regular file for reading, links followed.

    To open a pipe waits for somebody who writes to it, and to open a device can set it going.
    Looked at again once it is open, for another process may have put one in its place.

    Raises NotRegularFile, and other OSErrors as ``open`` does.
    """
    _check(os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        _check(os.fstat(descriptor))
    except BaseException:
        os.close(descriptor)
        raise
    return os.fdopen(descriptor, "rb")


def _check(status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
        raise NotRegularFile(f"not a regular file but {kind}")
