"""The interpreter that has Daft and Ray: an environment of its own.

Both ask for older pyarrow and tqdm than the project has, and weigh a gigabyte that no test needs.
"""

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.figures import NotMeasuredError
from benchmarks.processes import PROJECT, last_words
from benchmarks.workbench import echo

# Written by `make lock` from the group `peers` of pyproject.toml.
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
_INSTALL_TIMEOUT_S = 1_200


def environment_of_peers() -> dict[str, str]:
    """Return the environment variables in which both run: one thread each, and no word to others.

    Daft and Ray report their use to servers unless told not to.  Ray listens on every interface,
    and turns the loopback address that it is given into another, where it may form a cluster.
    """
    return {
        "PYTHONPATH": str(PROJECT),
        "OMP_NUM_THREADS": "1",
        "DAFT_ANALYTICS_ENABLED": "0",
        "DO_NOT_TRACK": "true",
        "RAY_USAGE_STATS_ENABLED": "0",
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # asked on Linux too
    }


def interpreter_of_peers(folder: Path) -> Path:
    """Return the interpreter of an environment below a folder, made if it is not there.

    Raises NotMeasuredError where its packages cannot be had.
    """
    environment = folder / "peers"
    python = environment / "bin" / "python"
    installed = environment / "installed.txt"
    wanted = REQUIREMENTS.read_text()
    if installed.exists() and installed.read_text() == wanted:
        return python
    echo("inputs: Daft and Ray, to be installed")
    shutil.rmtree(environment, ignore_errors=True)
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    try:
        for command in (
            [sys.executable, "-m", "venv", str(environment)],
            [*pip, "--require-hashes", "--only-binary", ":all:", "-r", str(REQUIREMENTS)],
        ):
            subprocess.run(
                command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S
            )
    except subprocess.TimeoutExpired as error:
        raise NotMeasuredError("Daft and Ray took longer than 20 minutes to install") from error
    except subprocess.CalledProcessError as error:
        words = last_words(error.stderr, n_lines=1)
        raise NotMeasuredError(f"Daft and Ray could not be installed: {words}") from error
    installed.write_text(wanted)
    return python
