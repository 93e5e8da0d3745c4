import os
import tarfile
import zipfile

import pytest

from operations.library_archive import pack_libraries
from operations.wheelhouse import MODULES, REQUIREMENTS, pack
from spark_assets.errors import FruitsError
from tests.node.wheels import make_wheel


@pytest.fixture
def wheels(tmp_path):
    """Return a folder with two wheels, of which the second has files for other places."""
    folder = tmp_path / "wheels"
    make_wheel(folder, "a")
    with zipfile.ZipFile(make_wheel(folder, "b"), "a") as wheel:
        for place in ("purelib/moved.py", "platlib/deep/er.so", "scripts/b", "data/share/b.js"):
            wheel.writestr(f"b-1.0.data/{place}", place)
        wheel.writestr("folder/", "")
        wheel.writestr("folder/empty.py", "")
    return folder


@pytest.fixture
def wheelhouse(wheels, tmp_path):
    """Return a function that packs the wheels as they are now."""

    def make():
        target = tmp_path / "wheelhouse.tar.gz"
        pack(wheels, REQUIREMENTS, MODULES, target)
        return target

    return make


def test_what_wheels_bring_for_python_is_in_one_folder_and_nothing_else(wheelhouse, tmp_path):
    target = tmp_path / "out" / "libraries.tgz"
    assert pack_libraries(wheelhouse(), target) == 2
    with tarfile.open(target) as archive:
        files = {member.name: archive.extractfile(member).read() for member in archive}
    assert {name for name in files if ".dist-info/" not in name} == {
        *("a.py", "b.py", "folder/empty.py", "moved.py", "deep/er.so"),
    }
    assert files["a.py"] == b"VERSION = '1.0'\n"
    # By which Python knows the version of a library.
    assert "a-1.0.dist-info/METADATA" in files
    assert os.listdir(tmp_path / "out") == ["libraries.tgz"]


def test_equal_wheels_give_equal_bytes_of_nobody(wheels, wheelhouse, tmp_path):
    packed = []
    for time in (1_000_000_000, 1_700_000_000):
        for wheel in wheels.iterdir():
            wheel.chmod(0o600 if time == 1_000_000_000 else 0o755)
            os.utime(wheel, (time, time))
        pack_libraries(wheelhouse(), tmp_path / f"{time}.tgz")
        packed.append((tmp_path / f"{time}.tgz").read_bytes())
    assert packed[0] == packed[1]
    with tarfile.open(tmp_path / f"{time}.tgz") as archive:
        assert {(m.uid, m.gid, m.mtime, m.mode) for m in archive} == {(0, 0, 0, 0o644)}
        assert archive.getnames() == sorted(archive.getnames())


def test_two_wheels_with_one_file_are_refused(wheels, wheelhouse, tmp_path):
    with zipfile.ZipFile(make_wheel(wheels, "c"), "a") as wheel:
        wheel.writestr("a.py", "another")
    target = tmp_path / "libraries.tgz"
    with pytest.raises(FruitsError, match=r"^a\.py is in two wheels of .*c-1\.0.*make lock$"):
        pack_libraries(wheelhouse(), target)
    assert not target.exists()
