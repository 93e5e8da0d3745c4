"""An Arm machine in a folder: Debian's Python 3.11 for arm64, the wheels of a node, and qemu.

Nothing is installed, and it takes no rights of root: apt keeps its lists in the folder, and
packages are unpacked there.  It takes a Debian 12 or what has Python 3.11 too, on x86-64.

The system of a node is another, Amazon Linux 2023, whose C library is older: whether the wheels
start there is not seen here, but in what they ask of it.
"""

import shutil
import subprocess
import tarfile
from pathlib import Path

# Their dependencies come with them.
_PACKAGES = ("python3.11", "libstdc++6")
_EMULATOR = "qemu-aarch64-static"
# Of a Graviton2. qemu shows the processor of this machine otherwise, at which LiteRT gives up.
_CPU = "neoverse-n1"
_CPUINFO = """\
processor : 0
BogoMIPS : 243.75
Features : fp asimd evtstrm aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc \
dcpop asimddp ssbs
CPU implementer : 0x41
CPU architecture: 8
CPU variant : 0x3
CPU part : 0xd0c
CPU revision : 1
"""


def arm_python(folder: Path, wheelhouse: Path) -> list[str]:
    """Return the command of an Arm Python that has the wheels of a node; make it in the folder."""
    root = folder / "root"
    if not (folder / "complete").is_file():
        shutil.rmtree(folder, ignore_errors=True)
        archives = _downloaded(folder / "apt")
        for package in archives.glob("*_a[rl][ml]*.deb"):
            _run("dpkg-deb", "--extract", package, root)
        (emulator,) = archives.glob("qemu-user-static_*.deb")
        _unpack_emulator(emulator, folder)
        (root / "proc").mkdir(exist_ok=True)
        (root / "proc" / "cpuinfo").write_text(_CPUINFO)
        shutil.rmtree(folder / "apt")
        (folder / "complete").touch()
    site = root / "usr" / "local" / "lib" / "python3.11" / "dist-packages"
    _unpack_wheels(wheelhouse, site)
    emulator = [str(folder / _EMULATOR), "-cpu", _CPU, "-L", str(root)]
    return [*emulator, str(root / "usr" / "bin" / "python3.11")]


def _downloaded(state: Path) -> Path:
    """Return the folder with the packages, downloaded by an apt that knows this folder alone."""
    archives = state / "archives"
    for folder in (archives, state / "lists"):
        (folder / "partial").mkdir(parents=True)
    (state / "status").touch()
    settings = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state,
        "APT::Architecture": "arm64",
        "APT::Architectures": "arm64,amd64",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-qq", *(f"-o{name}={value}" for name, value in settings.items())]
    _run(*apt, "update")
    _run(*apt, "install", "--download-only", "--yes", "--no-install-recommends", *_PACKAGES)
    _run(*apt, "download", "qemu-user-static:amd64", cwd=archives)
    return archives


def _unpack_emulator(package: Path, folder: Path) -> None:
    name = f"usr/bin/{_EMULATOR}"
    _run("dpkg-deb", "--extract", package, folder / "qemu")
    shutil.move(folder / "qemu" / name, folder / _EMULATOR)
    shutil.rmtree(folder / "qemu")


def _unpack_wheels(wheelhouse: Path, site: Path) -> None:
    shutil.rmtree(site, ignore_errors=True)
    with tarfile.open(wheelhouse) as archive:
        archive.extractall(site, filter="data")
    for wheel in (site / "wheels").iterdir():
        shutil.unpack_archive(wheel, site, "zip")


def _run(*command: str | Path, cwd: Path | None = None) -> None:
    try:
        subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise SystemExit(
            f"{command[0]} failed, its own message is above; this takes a Debian 12 on x86-64 that "
            "reaches its package archive"
        ) from error
