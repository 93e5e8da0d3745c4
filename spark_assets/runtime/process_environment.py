"""Which environment variables a command honours: JAVA_HOME, AWS_*, TMPDIR and those of proxies.

Spark, PySpark, Hadoop and the JVM read dozens more, and Python imports from PYTHONPATH and, in
child processes, from the working folder.  What another installation has left there must not decide
which Spark starts, with which interpreter and settings, nor whose code a worker runs.
"""

import os
import resource
import sys
from collections.abc import Mapping
from pathlib import Path

_SPARK_PREFIXES = (
    "SPARK_",
    "PYSPARK_",
    "_PYSPARK_",
    "HADOOP_",
    "HDFS_",
    "YARN_",
    "MAPRED_",
    "HIVE_",
)
JVM_OPTION_VARIABLES = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
_OTHERS = {*JVM_OPTION_VARIABLES, "CLASSPATH", "ARROW_PRE_0_15_IPC_FORMAT"}
# By which PySpark joins the JVM that started it: spark-submit's, or that of a notebook around us.
_GATEWAY_VARIABLES = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")
# The most that macOS grants whatever its hard limit says; a worker has some hundred files open.
_MAX_OPEN_FILES = 10_240


def isolate_process() -> None:
    """Import nothing from PYTHONPATH and the working folder, here and in all child processes.

    For the commands that people type, before they import a library: with PYTHONPATH at the Python
    folder of another Spark, that Spark's pyspark would be imported.  Under spark-submit PYTHONPATH
    is where pyspark is found, and stays.
    """
    for name in _GATEWAY_VARIABLES:
        os.environ.pop(name, None)
    sys.path[:] = _without(sys.path, os.environ.pop("PYTHONPATH", ""))
    os.environ["PYTHONSAFEPATH"] = "1"
    _raise_open_file_limit()


def isolate_spark() -> None:
    """Keep from a Spark on this machine what the environment holds of another one."""
    kept = local_environment(os.environ)
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    os.environ.update(kept)


def local_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a Spark on this machine and of its workers."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(_SPARK_PREFIXES) and name not in _OTHERS
    }
    return kept | {
        # Otherwise the workers start the first python3 on the path, without the libraries.
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONSAFEPATH": "1",
        "SPARK_LOCAL_IP": "127.0.0.1",
        # With another character set the JVM cannot name a folder such as "résultats".
        "LC_ALL": "C.UTF-8",
    }


def _without(search_path: list[str], python_path: str) -> list[str]:
    """Return a search path without what PYTHONPATH put there, save what Python itself needs."""
    if not python_path:
        return search_path
    import sysconfig  # 2 ms, for the few that set the variable

    own = {*sysconfig.get_paths().values(), str(Path(__file__).parents[2])}
    foreign = {os.path.abspath(place) for place in python_path.split(os.pathsep)} - own
    return [place for place in search_path if os.path.abspath(place) not in foreign]


def _raise_open_file_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MAX_OPEN_FILES if hard == resource.RLIM_INFINITY else min(hard, _MAX_OPEN_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
