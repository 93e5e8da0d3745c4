"""A run is the same whatever the environment, the user and the working folder hold."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.spark.runs import put, rows_of
from tests.spark.test_environment import OF_ANOTHER_INSTALLATION

FRUITS = str(Path(sys.executable).parent / "fruits")
# Modules that workers, Spark's daemon and the libraries import, each with a name that people use.
MODULES_OF_OTHERS = ("random", "queue", "token", "numpy", "calendar", "select", "code")
FOREIGN_CODE = "raise SystemExit('code of the working folder was run')\n"
either_way = pytest.mark.parametrize(
    "options", [(), ("--master", "local[2]")], ids=["here", "Spark"]
)
WITHOUT_PASSWD = ("unshare", "--user", "--map-user=12345", "--map-group=12345")


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    for index in range(8):
        put(folder, f"fruit/{index}.png", seed=index)
    return folder


def fruits_run(photographs, output, *options, within=(), cwd, **environment):
    done = subprocess.run(
        [*within, FRUITS, "run", "--images", str(photographs), "--output", str(output),
         "--weights", "random", "--alpha", "0.35", "--n-components", "2", *options],
        cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return rows_of(output, "features").drop_columns(["run_id"]).to_pylist()


@pytest.fixture(scope="module")
def plain_run(photographs, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return fruits_run(photographs, folder / "out", cwd=folder, **os.environ)


@pytest.mark.slow
@either_way
def test_foreign_variables_folders_and_settings_of_keras_change_nothing(
    photographs, plain_run, tmp_path, options
):
    home = tmp_path / "home"
    settings = home / ".keras" / "keras.json"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        json.dumps({"floatx": "float16", "image_data_format": "channels_first", "epsilon": 0.1})
    )
    working, temporary = tmp_path / "working", tmp_path / "temporary folder"
    for folder in (working, temporary, tmp_path / "python" / "pyspark"):
        folder.mkdir(parents=True)
    (tmp_path / "python" / "pyspark" / "__init__.py").write_text(FOREIGN_CODE)
    for name in MODULES_OF_OTHERS:
        (working / f"{name}.py").write_text(FOREIGN_CODE)
    rows = fruits_run(
        photographs,
        tmp_path / "résultats",
        *options,
        cwd=working,
        **os.environ
        | OF_ANOTHER_INSTALLATION
        | {
            "HOME": str(home),
            "TMPDIR": str(temporary),
            "FRUITS_CACHE": str(tmp_path / "cache"),
            "PYTHONPATH": str(tmp_path / "python"),
            "PYSPARK_PYTHON": "/usr/bin/false",
            "PYSPARK_GATEWAY_PORT": "1",
            "KERAS_BACKEND": "torch",
            "LC_ALL": "POSIX",
        },
    )
    assert rows == plain_run


@pytest.mark.slow
@either_way
def test_a_user_that_passwd_does_not_know_needs_neither_a_name_nor_a_home(
    photographs, plain_run, tmp_path, options
):
    """As the user of a container that is started with ``--user 12345``."""
    if subprocess.run([*WITHOUT_PASSWD, "true"], capture_output=True, check=False).returncode:
        skip_or_fail("a user of its own cannot be made here (unshare --user)")
    environment = {name: value for name, value in os.environ.items() if name != "HOME"}
    output = tmp_path / "out"
    rows = fruits_run(
        photographs, output, *options, within=WITHOUT_PASSWD, cwd=tmp_path, **environment
    )
    assert rows == plain_run


@pytest.mark.slow
def test_a_working_folder_that_is_gone_is_said(tmp_path):
    done = subprocess.run(
        ["bash", "-c", 'mkdir gone && cd gone && rmdir ../gone && exec "$@"', "bash",
         FRUITS, "report", "--output", str(tmp_path)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    # Where the path of the checkout holds a blank, a shell starts the command, and speaks first.
    said = [line for line in done.stderr.splitlines() if not line.startswith("sh: ")]
    assert (done.returncode, said) == (
        1, ["fruits: the working folder no longer exists; go to one that does"],
    )  # fmt: skip
