"""A process that dies at a file operation: the next one that would change a folder never happens.

Python tells audit hooks of each such operation before it is done (PEP 578), whoever asks for it.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# What changes a folder, and which arguments name places.
_CHANGES = {
    "os.rename": (0, 1),
    "os.remove": (0,),
    "os.rmdir": (0,),
    "os.mkdir": (0,),
    "shutil.rmtree": (0,),
}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


class Stopped(BaseException):
    """The process is dead: nothing that it still tries is done."""


class _Hook:
    """Counts operations below a folder, and from one on raises instead."""

    def __init__(self) -> None:
        self.folder: str | None = None
        self.n_operations = 0
        self.last: int | None = None

    def __call__(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.folder is None or not self._changes(event, arguments):
            return
        if self.last is not None and self.n_operations >= self.last:
            raise Stopped(f"{event} {arguments}")
        self.n_operations += 1

    def _changes(self, event: str, arguments: tuple[object, ...]) -> bool:
        if event == "open":
            path, _, flags = arguments
            names = [path] if isinstance(flags, int) and flags & _WRITES else []
        else:
            names = [arguments[number] for number in _CHANGES.get(event, ())]
        # The system ends the lease of a process with it, which goes on here.
        places = [str(name) for name in names if not str(name).endswith("/_lease.json")]
        return any(place.startswith(f"{self.folder}/") for place in places)


_hook = _Hook()


@contextmanager
def stopping(folder: Path, after: int | None) -> Iterator[_Hook]:
    """Let so many operations below a folder happen in the block, all of them with None."""
    if not getattr(_hook, "is_added", False):
        sys.addaudithook(_hook)  # for the life of this process: no hook can be taken back
        _hook.is_added = True
    _hook.folder, _hook.n_operations, _hook.last = str(folder), 0, after
    try:
        yield _hook
    finally:
        _hook.folder = None
