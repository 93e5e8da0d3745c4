"""What the environment holds of other installations decides nothing."""

import subprocess
import sys

import pytest

from spark_assets.runtime.process_environment import local_environment
from spark_assets.storage.locations import user_folder

OF_ANOTHER_INSTALLATION = {
    "SPARK_HOME": "/opt/spark-2.4.8",
    "SPARK_CONF_DIR": "/etc/spark",
    "SPARK_LOCAL_DIRS": "/mnt/gone",
    "SPARK_REMOTE": "sc://localhost",
    "SPARK_SUBMIT_OPTS": "-Xmx64m",
    "PYSPARK_SUBMIT_ARGS": "--master local[2]",
    "PYSPARK_DRIVER_PYTHON": "jupyter",
    "HADOOP_CONF_DIR": "/etc/hadoop",
    "HADOOP_USER_NAME": "hdfs",
    "YARN_CONF_DIR": "/etc/hadoop",
    "JAVA_TOOL_OPTIONS": "-XX:MaxPermSize=512m",
    "_JAVA_OPTIONS": "-Xmx64m",
    "JDK_JAVA_OPTIONS": "-Xmx64m",
    "CLASSPATH": "/opt/jars/*",
    "ARROW_PRE_0_15_IPC_FORMAT": "1",
}
HONOURED = {
    "JAVA_HOME": "/usr/lib/jvm/java-17",
    "AWS_PROFILE": "fruits",
    "TMPDIR": "/scratch",
    "HTTPS_PROXY": "http://proxy:3128",
    "FRUITS_CACHE": "/cache",
}


@pytest.mark.parametrize("name", OF_ANOTHER_INSTALLATION)
def test_spark_on_this_machine_is_told_nothing_of_another(name):
    assert name not in local_environment(OF_ANOTHER_INSTALLATION)


def test_what_is_honoured_stays():
    assert local_environment(HONOURED).items() >= HONOURED.items()


def test_workers_run_this_interpreter_and_import_nothing_from_the_working_folder():
    environment = local_environment({"PYSPARK_PYTHON": "python2", "PYTHONSAFEPATH": ""})
    assert environment["PYSPARK_PYTHON"] == sys.executable
    assert environment["PYTHONSAFEPATH"] == "1"


def test_a_user_without_a_home_has_a_folder_for_what_is_cached(monkeypatch):
    monkeypatch.setattr("os.path.expanduser", lambda path: path)
    assert user_folder().is_dir()


ISOLATED = """
import os, resource, sys
from spark_assets.runtime.process_environment import isolate_process
isolate_process()
print(*sys.path, sep="\\n")
import pyarrow
print(os.environ.get("PYTHONPATH"), os.environ.get("PYSPARK_GATEWAY_PORT"))
print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.slow
def test_a_command_imports_nothing_from_pythonpath_and_opens_as_many_files_as_it_may(tmp_path):
    site_packages = [path for path in sys.path if path.endswith("site-packages")]
    done = subprocess.run(
        ["bash", "-c", 'ulimit -Sn 64 && exec "$@"', "bash", sys.executable, "-P", "-c", ISOLATED],
        env={
            "PYTHONPATH": ":".join(["/opt/spark/python", *site_packages, str(tmp_path)]),
            "PYSPARK_GATEWAY_PORT": "1234",
        },
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    *search_path, variables, n_files = done.stdout.splitlines()
    assert not {"/opt/spark/python", str(tmp_path)} & {*search_path}
    assert variables == "None None"
    assert int(n_files) > 64
