"""Opening of regular files alone: to open a pipe or a device could block for ever."""

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
    """Not a regular file; the message is its type, without its path."""


def open_regular_file(path: str) -> BufferedReader:
    """Open a regular file for reading, links followed.

    It is checked again once it is open: another process may have replaced it.

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
