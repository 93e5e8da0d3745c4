"""The libraries of EMR Serverless: the wheels of the wheelhouse, unpacked into one archive.

Spark unpacks it beside each job, where Python finds it by PYTHONPATH; there is no node on which a
wheel could be installed.  ``fruits build-artifacts`` makes it, for any architecture on any machine.
"""

import re
import tarfile
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

from operations.wheelhouse import new_archive
from spark_assets.errors import FruitsError

# What a wheel has for other places than the folder of libraries. What is meant for that folder is
# moved to its top, the rest are scripts and files of Jupyter, which no job runs.
_OF_A_SCHEME = re.compile(r"[^/]+\.data/(?P<scheme>[^/]+)/(?P<name>.+)")
_SCHEMES_OF_LIBRARIES = ("purelib", "platlib")


def pack_libraries(wheelhouse: Path, target: Path) -> int:
    """Write the archive, whole or not at all, and return how many wheels are in it.

    Equal wheels give equal bytes.  Raises FruitsError where two wheels have the same file.
    """
    members: dict[str, tuple[ZipFile, str]] = {}
    n_wheels = 0
    with tarfile.open(wheelhouse) as archive:
        for wheel in archive:
            content = archive.extractfile(wheel)
            if content is None or not wheel.name.endswith(".whl"):
                continue
            n_wheels += 1
            opened = ZipFile(BytesIO(content.read()))
            for entry in opened.namelist():
                name = _name_in_folder(entry)
                if name in members:
                    raise FruitsError(
                        f"{name} is in two wheels of {wheelhouse}, the second of them {wheel.name};"
                        " pin versions that go together, with: make lock"
                    )
                if name is not None:
                    members[name] = opened, entry
    with new_archive(target) as add:
        for name, (opened, entry) in sorted(members.items()):
            add(name, BytesIO(opened.read(entry)), opened.getinfo(entry).file_size)
    return n_wheels


def _name_in_folder(entry: str) -> str | None:
    """Return where an entry of a wheel goes in the folder of libraries, None for elsewhere."""
    if entry.endswith("/"):
        return None
    if (found := _OF_A_SCHEME.fullmatch(entry)) is None:
        return entry
    return found["name"] if found["scheme"] in _SCHEMES_OF_LIBRARIES else None
