"""Environment variables that commands honour: JAVA_HOME, AWS_*, TMPDIR and those of proxies.

Spark, PySpark, Hadoop and the JVM read dozens more, and Python imports from PYTHONPATH and, in
child processes, from the working folder.  Variables of another installation must not decide which
Spark, interpreter or code runs.
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
# PySpark joins the JVM that these name: of spark-submit, or of a surrounding notebook.
_GATEWAY_VARIABLES = ("PYSPARK_GATEWAY_PORT", "PYSPARK_GATEWAY_SECRET")
# The maximum of macOS, whatever its hard limit; a worker has some hundred files open.
_MAX_OPEN_FILES = 10_240


def isolate_process() -> None:
    """Import nothing from PYTHONPATH and the working folder, here and in child processes.

    The command line calls it before it imports a library: PYTHONPATH may hold the pyspark of
    another Spark.  Under spark-submit, pyspark is found by PYTHONPATH, which is kept.
    """
    for name in _GATEWAY_VARIABLES:
        os.environ.pop(name, None)
    sys.path[:] = _without(sys.path, os.environ.pop("PYTHONPATH", ""))
    os.environ["PYTHONSAFEPATH"] = "1"
    _raise_open_file_limit()


def isolate_spark() -> None:
    """Remove the variables of another Spark from the environment, which Spark inherits."""
    kept = local_environment(os.environ)
    for name in set(os.environ) - set(kept):
        del os.environ[name]
    os.environ.update(kept)


def local_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a local Spark and its workers."""
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(_SPARK_PREFIXES) and name not in _OTHERS
    }
    return kept | {
        # By default workers start the first python3 on the path, without the libraries.
        "PYSPARK_PYTHON": sys.executable,
        "PYTHONSAFEPATH": "1",
        "SPARK_LOCAL_IP": "127.0.0.1",
        # With another character set the JVM cannot name a folder such as "résultats".
        "LC_ALL": "C.UTF-8",
    }


def _without(search_path: list[str], python_path: str) -> list[str]:
    """Return a search path without the entries of PYTHONPATH, except those of Python itself."""
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
