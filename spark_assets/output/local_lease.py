"""The lease of a local output: a lock of the operating system on its file.

It holds between the processes of one machine, and on a network file system between machines where
that passes ``flock`` on, as NFS does from Linux to Linux.
"""

import fcntl
import os

from spark_assets.errors import FruitsError
from spark_assets.output.lease_file import Holder
from spark_assets.storage.files import write_failure
from spark_assets.storage.locations import Location


class LocalLease:
    """Holds a local file locked."""

    def __init__(self, file: Location) -> None:
        self._file = file
        self._descriptor: int | None = None

    def acquire(self, mine: Holder) -> Holder | None:
        """Take the lock, or return who has it.  Raises FruitsError for a place without a write."""
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                with os.fdopen(descriptor, "rb") as held:
                    return Holder.from_bytes(held.read())
            except OSError as error:  # a file system without locks
                os.close(descriptor)
                raise FruitsError(
                    f"{self._file.uri} cannot be locked ({os.strerror(error.errno or 0)}), so two "
                    "commands could write at a time; choose an output on another file system"
                ) from error
            if self._is_the_file(descriptor):
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, mine.to_bytes("the lock on this file"), 0)
                self._descriptor = descriptor
                return None
            os.close(descriptor)  # its holder has removed it in between: there may be a new one

    def is_held(self) -> bool:
        return self._descriptor is not None and self._is_the_file(self._descriptor)

    def release(self) -> None:
        """Remove the file while it is locked, so that nobody finds an unlocked one."""
        if self._descriptor is None:
            return
        if self.is_held():
            os.unlink(self._file.base)
        os.close(self._descriptor)
        self._descriptor = None

    def _open(self) -> int:
        try:
            os.makedirs(os.path.dirname(self._file.base), exist_ok=True)
            return os.open(self._file.base, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise FruitsError(write_failure(self._file.uri, error)) from error

    def _is_the_file(self, descriptor: int) -> bool:
        """Tell whether the path still leads to the file that is open."""
        try:
            at_path = os.stat(self._file.base)
        except FileNotFoundError:
            return False
        return os.path.samestat(at_path, os.fstat(descriptor))
