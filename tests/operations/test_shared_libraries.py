"""The libraries of a wheel against the system of a node: a real one, with single bytes changed."""

import platform
import re
import sysconfig
import zipfile
from pathlib import Path

import pytest

from operations.shared_libraries import check_wheels
from operations.wheelhouse import MACHINES
from spark_assets.errors import FruitsError

HERE = {machine: architecture for architecture, machine in MACHINES.items()}[platform.machine()]
ELSEWHERE = next(name for name in MACHINES if name != HERE)
LIBRARY = next(
    (Path(sysconfig.get_path("platlib")) / "markupsafe").glob("_speedups.*.so")
).read_bytes()


@pytest.fixture
def wheel(tmp_path):
    """Return a function that packs libraries into a wheel, beside a module that is none."""

    def pack(*libraries, folder="a", name="a-1.0-py3-none-any.whl"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("a/__init__.py", "")
            for i, library in enumerate(libraries):
                archive.writestr(f"{folder}/lib{i}.so", library)
        return path

    return pack


def renamed(pattern, letter):
    """Return the library with another name of equal length in its table of names."""
    changed, n = re.subn(
        pattern, lambda found: found[1] + letter * len(found[2]), LIBRARY, flags=re.DOTALL
    )
    assert n
    return changed


NEWER = renamed(rb"(GLIBC_)([0-9.]+)", b"9")
INSIDE = renamed(rb"(GLIBC_)([0-9.]+)", b"P")
STRANGER = renamed(rb"(lib)(c)(?=\.so\.6)", b"q")


def test_a_library_for_the_nodes_is_taken(wheel):
    check_wheels([wheel(LIBRARY)], HERE)


@pytest.mark.parametrize(
    ("library", "finding"),
    [
        (NEWER, r"asks for GLIBC_9+, and the nodes have GLIBC_2\.34"),
        (INSIDE, r"asks for GLIBC_P+, which the nodes' glibc does not offer"),
        (STRANGER, r"needs libq\.so\.6, which neither a wheel nor the nodes' system has"),
    ],
)
def test_a_library_that_a_node_could_not_load_is_refused_by_name(wheel, library, finding):
    sentence = rf"^a/lib1\.so in a-1\.0-py3-none-any\.whl {finding}; .* with: make lock$"
    with pytest.raises(FruitsError, match=sentence):
        check_wheels([wheel(LIBRARY, library)], HERE)


def test_a_library_of_another_architecture_is_refused(wheel):
    with pytest.raises(FruitsError, match=rf"is for \S+, not for {ELSEWHERE}"):
        check_wheels([wheel(LIBRARY)], ELSEWHERE)


def test_a_library_may_need_one_of_another_wheel(wheel, tmp_path):
    other = tmp_path / "b-1.0-py3-none-any.whl"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("b.libs/libq.so.6", LIBRARY)
    check_wheels([wheel(STRANGER), other], HERE)


@pytest.mark.parametrize(
    "folder",
    ["ai_edge_litert/vendors/someone", "debugpy/_vendored/pydevd/pydevd_attach_to_process"],
)
def test_plugins_that_no_node_loads_are_not_looked_at(wheel, folder):
    check_wheels([wheel(STRANGER, folder=folder)], HERE)
