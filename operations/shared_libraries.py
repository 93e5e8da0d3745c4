"""What shared libraries in wheels ask of the system that loads them, read from their ELF headers.

A wheel's tag names the oldest glibc that it runs on, and pip believes it. Tags can be wrong: one of
an Arm wheel here promises glibc 2.27, and its library asks for 2.34.
"""

import re
import zipfile
from collections.abc import Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, cast

from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from spark_assets.errors import FruitsError

_MAGIC = b"\x7fELF"
_MACHINES = {"arm64": "EM_AARCH64", "x86_64": "EM_X86_64"}
# Amazon Linux 2023, which keeps glibc 2.34 for its life, and has libstdc++ and libgcc of GCC 14.
_NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 33), "CXXABI": (1, 3, 15), "GCC": (14, 0, 0)}
_SYSTEM = re.compile(
    r"(libc|libm|libdl|librt|libpthread|libutil|libresolv|libgcc_s|libstdc\+\+|libz)\.so\.\d+"
    r"|ld-linux-(aarch64|x86-64)\.so\.\d+"
)
_VERSION = re.compile(r"(GLIBC|GLIBCXX|CXXABI|GCC)_([0-9.]+)")
# Of a newer glibc or of its inside: what 2.34 offers to others is numbered.
_UNNUMBERED = re.compile(r"GLIBC_[A-Z]")
# Plugins of LiteRT for accelerators that no node has, loaded only where a program names them; and
# what a debugger puts into a process that somebody attaches it to, for all architectures at once.
_NEVER_LOADED = ("ai_edge_litert/vendors/", "debugpy/_vendored/pydevd/pydevd_attach_to_process/")


def check_wheels(wheels: Sequence[Path], architecture: str) -> None:
    """Raise FruitsError for the first library that a node of this architecture could not load.

    A library may need those of the system and of any of the wheels.
    """
    brought = {Path(name).name for wheel in wheels for name in zipfile.ZipFile(wheel).namelist()}
    for wheel in wheels:
        for name, library in _libraries(wheel):
            for finding in _findings(library, architecture, brought):
                raise FruitsError(
                    f"{name} in {wheel.name} {finding}; choose another version of that package in "
                    "pyproject.toml, and pin it with: make lock"
                )


def _libraries(wheel: Path) -> Iterator[tuple[str, ELFFile]]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(_NEVER_LOADED):
                continue
            with archive.open(name) as member:
                if member.read(len(_MAGIC)) != _MAGIC:
                    continue
            yield name, ELFFile(BytesIO(archive.read(name)))


def _findings(library: ELFFile, architecture: str, brought: set[str]) -> Iterator[str]:
    if library["e_machine"] != _MACHINES[architecture]:
        yield f"is for {library['e_machine'].removeprefix('EM_').lower()}, not for {architecture}"
    for section in library.iter_sections():
        if isinstance(section, DynamicSection):
            tags = cast(Iterator[Any], section.iter_tags("DT_NEEDED"))  # a tag gets its fields late
            for needed in (tag.needed for tag in tags):
                if not _SYSTEM.fullmatch(needed) and needed not in brought:
                    yield f"needs {needed}, which neither a wheel nor the nodes' system has"
        elif isinstance(section, GNUVerNeedSection):
            for source, versions in section.iter_versions():
                if _SYSTEM.fullmatch(str(source.name)):
                    yield from _too_new(version.name for version in versions)


def _too_new(versions: Iterator[str]) -> Iterator[str]:
    for version in versions:
        if found := _VERSION.fullmatch(version):
            newest = _NEWEST[found[1]]
            if tuple(map(int, found[2].split("."))) > newest:
                allowed = ".".join(map(str, newest))
                yield f"asks for {version}, and the nodes have {found[1]}_{allowed}"
        elif _UNNUMBERED.match(version):
            yield f"asks for {version}, which the nodes' glibc does not offer"
