import ast
import os
import re
import sys
import tarfile
from pathlib import Path

import pytest

import spark_assets
from operations import wheelhouse
from operations.wheelhouse import MACHINES, MODULES, REQUIREMENTS, make_wheelhouse, pack
from spark_assets.errors import FruitsError
from tests.node.wheels import make_wheel, pin

ROOT = Path(__file__).resolve().parents[2]
# EMR brings the first two; the others make models, and a node is given a model that is ready.
NOT_ON_A_NODE = {"pyspark", "py4j", "tensorflow", "keras"}


def pins(requirements: Path) -> set[tuple[str, str]]:
    """Return packages with their versions: the pins of a lock, less their hashes."""
    lines = re.findall(r"^([a-z0-9.-]+)==(\S+)", requirements.read_text(), re.MULTILINE)
    assert lines
    return set(lines)


def third_party_imports() -> set[str]:
    names = set()
    for file in Path(spark_assets.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or "").partition(".")[0])
    return names - set(sys.stdlib_module_names) - {"spark_assets", "sample_photographs"}


def test_a_node_has_the_versions_of_the_project():
    assert pins(REQUIREMENTS) <= pins(ROOT / "requirements.txt")


def test_a_node_gets_spark_from_emr_and_makes_no_models():
    assert not {name for name, _ in pins(REQUIREMENTS)} & (
        NOT_ON_A_NODE | {"tensorflow-cpu", "h5py"}
    )


def test_every_pin_has_hashes_and_holds_on_both_architectures():
    text = REQUIREMENTS.read_text().replace("\\\n", "")
    lines = [line for line in text.splitlines() if "==" in line]
    assert len(lines) == len(pins(REQUIREMENTS))
    assert all("--hash=sha256:" in line for line in lines)
    # pip would read markers for the machine that downloads, of another architecture or Python.
    assert not [line for line in lines if ";" in line]


def test_no_place_of_packages_is_written_down():
    assert "://" not in REQUIREMENTS.read_text()


def test_a_node_is_ready_when_all_that_the_jobs_import_is_there():
    checked = {name.partition(".")[0] for name in MODULES.read_text().split()}
    assert third_party_imports() - NOT_ON_A_NODE <= checked
    assert not checked & NOT_ON_A_NODE


def test_equal_wheels_pack_to_equal_bytes(tmp_path):
    packed = []
    for time, names in ((1_000_000_000, ("a", "b")), (1_700_000_000, ("b", "a"))):
        folder = tmp_path / str(time)
        for name in names:
            wheel = make_wheel(folder, name)
            wheel.write_bytes(name.encode())
            wheel.chmod(0o600 if time == 1_000_000_000 else 0o755)
            os.utime(wheel, (time, time))
        target = tmp_path / f"{time}.tar.gz"
        pack(folder, REQUIREMENTS, MODULES, target)
        packed.append(target.read_bytes())
    assert packed[0] == packed[1]


def test_the_wheelhouse_holds_pins_wheels_and_what_to_check_and_nothing_else(tmp_path):
    wheel = make_wheel(tmp_path / "wheels", "a")
    (tmp_path / "wheels" / "pip.log").write_text("")
    pack(tmp_path / "wheels", REQUIREMENTS, MODULES, tmp_path / "out" / "wheelhouse.tar.gz")
    with tarfile.open(tmp_path / "out" / "wheelhouse.tar.gz") as archive:
        names = archive.getnames()
        content = archive.extractfile("requirements.txt").read()
    assert names == ["modules.txt", "requirements.txt", f"wheels/{wheel.name}"]
    assert content == REQUIREMENTS.read_bytes()
    assert os.listdir(tmp_path / "out") == ["wheelhouse.tar.gz"]


@pytest.fixture
def offered(starts_processes, tmp_path, monkeypatch):
    """Return a folder of wheels that stands in for the index that pip asks."""
    folder = tmp_path / "offered"
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setattr(wheelhouse, "REQUIREMENTS", tmp_path / "requirements.txt")
    return folder


@pytest.mark.parametrize("architecture", MACHINES)
def test_each_architecture_gets_its_own_wheels(offered, tmp_path, architecture):
    tags = [f"cp311-cp311-manylinux_2_{minor}_{machine}" for machine, minor in
            (("x86_64", 17), ("aarch64", 34), ("x86_64", 39), ("aarch64", 39))]  # fmt: skip
    wheels = [make_wheel(offered, "a", tag=tag) for tag in tags]
    hashes = {pin(wheel).partition(" ")[2].strip() for wheel in wheels}
    lines = [f"a==1.0 {' '.join(sorted(hashes))}\n", pin(make_wheel(offered, "b"))]
    wheelhouse.REQUIREMENTS.write_text("".join(lines))
    make_wheelhouse(architecture, tmp_path / "wheelhouse.tar.gz")
    with tarfile.open(tmp_path / "wheelhouse.tar.gz") as archive:
        packed = [name for name in archive.getnames() if name.endswith(".whl")]
    own = next(wheel for wheel in wheels if MACHINES[architecture] in wheel.name)
    assert packed == [f"wheels/{own.name}", "wheels/b-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    "tag",
    [
        "cp311-cp311-manylinux_2_39_aarch64",
        "cp312-cp312-manylinux_2_17_aarch64",
        "cp311-cp311-musllinux_1_2_aarch64",
    ],
)
def test_a_wheel_that_the_node_cannot_run_is_refused(offered, tmp_path, tag, capfd):
    wheelhouse.REQUIREMENTS.write_text(pin(make_wheel(offered, "a", tag=tag)))
    with pytest.raises(FruitsError, match=r"could not download .* for arm64; .* with: make lock"):
        make_wheelhouse("arm64", tmp_path / "wheelhouse.tar.gz")
    assert not (tmp_path / "wheelhouse.tar.gz").exists()
    assert "No matching distribution" in capfd.readouterr().err


def test_a_wheel_that_is_not_the_pinned_one_is_refused(offered, tmp_path):
    wheelhouse.REQUIREMENTS.write_text(pin(make_wheel(offered, "a")))
    make_wheel(offered, "a", source="import os")
    with pytest.raises(FruitsError, match="could not download"):
        make_wheelhouse("arm64", tmp_path / "wheelhouse.tar.gz")
