"""The wheel: all that the packages hold, and a command that works where no clone is."""

import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.packaging.test_project import PACKAGES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")


def tracked_files() -> list[str]:
    """Return what a commit of this tree would hold, by its path."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        skip_or_fail(f"git does not tell the files of the project: {done.stderr.strip()}")
    return [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Return the wheel of a clean copy: setuptools packs what an older build has left too."""
    source, made = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("made")
    for name in tracked_files():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes((ROOT / name).read_bytes())
    build = [UV, "build", "--quiet", "--wheel", "--offline", "--no-build-isolation"]
    subprocess.run(
        [*build, "--python", sys.executable, "--out-dir", made, source], check=True, timeout=300
    )
    (wheel,) = made.glob("*.whl")
    return wheel


class Installed:
    """The wheel in an environment of its own, and a folder from which its commands are given.

    The libraries are those of the environment that runs this.  Of that one the folder alone is on
    the path: its .pth files, which lead to the clone, are not read.
    """

    def __init__(self, folder: Path, wheel: Path) -> None:
        self.venv, self.elsewhere = folder / "venv", folder / "elsewhere"
        self.elsewhere.mkdir()
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", self.venv], check=True)
        self._python = self.venv / "bin" / "python"
        install = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python"]
        subprocess.run([*install, self._python, wheel], check=True)
        (packages,) = self.venv.glob("lib/python*/site-packages")
        (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")

    def python(self, code: str) -> str:
        return self._run(self._python, "-c", code).stdout

    def fruits(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self._run(self.venv / "bin" / "fruits", *words)

    def _run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.elsewhere, capture_output=True, text=True, timeout=600, check=False
        )


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("installed"), wheel)


def test_it_holds_what_git_knows_of_the_packages_and_nothing_else(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
        licences = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
    assert held == {name for name in tracked_files() if name.partition("/")[0] in PACKAGES}
    assert len(licences) == 1


def test_its_code_is_not_that_of_the_clone(installed):
    names = ", ".join(PACKAGES)
    code = f"import {names}; print(*(each.__file__ for each in ({names},)), sep='\\n')"
    files = installed.python(code).split()
    assert len(files) == len(PACKAGES)
    assert all(Path(file).is_relative_to(installed.venv) for file in files)


def test_the_chain_runs_from_another_folder(installed):
    assert "identify" in installed.fruits("--help").stdout
    drawn = installed.fruits("sample", "--images-per-label", "4", "--output", "photographs")
    assert drawn.returncode == 0, drawn.stderr
    network = ("--weights", "random", "--alpha", "0.35", "--max-rejected", "1")
    run = installed.fruits("run", "--images", "photographs", "--output", "out", *network)
    assert run.returncode == 0, run.stderr
    assert "45 images = 40 features + 5 rejected" in run.stderr
    page = installed.elsewhere / "out" / "report" / "index.html"
    first = page.read_text()
    page.unlink()
    report = installed.fruits("report", "--output", "out")
    assert (report.returncode, page.read_text()[:200]) == (0, first[:200]), report.stderr
    # Of the commands of the operator, one that needs no settings of a cluster.
    names = ("--path", "banana/IMG_0001.jpg", "--dry-run")
    erased = installed.fruits("erase", "--output", "out", *names)
    assert erased.returncode == 0, erased.stderr


@pytest.mark.parametrize("command", [("cost", "--images", "10"), ("retention",)])
def test_what_needs_the_settings_of_the_cluster_says_where_they_are(installed, command):
    done = installed.fruits(*command)
    assert (done.returncode, done.stderr) == (
        1,
        "fruits: the settings of the cluster are missing (cdk.json), which an installed package "
        "does not hold; give this command in a clone of the repository, after 'make setup', as "
        ".venv/bin/fruits\n",
    )
