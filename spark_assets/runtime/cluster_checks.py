"""Checks of the environment before PySpark joins a cluster."""

import os
import re
import socket
from pathlib import Path

import pyspark

from spark_assets.errors import FruitsError

_SPARK_JAR = re.compile(r"spark-core_[\d.]+-([\d.]+)\b.*\.jar")
_CONNECT_TIMEOUT_S = 10


def check_cluster(master: str) -> None:
    """Raise FruitsError for an environment with which PySpark cannot start or reach Spark."""
    _check_submit_arguments()
    _check_spark_home()
    _check_address(master)


def _check_submit_arguments() -> None:
    arguments = os.environ.get("PYSPARK_SUBMIT_ARGS", "pyspark-shell")
    if arguments.split()[-1:] != ["pyspark-shell"]:
        raise FruitsError(
            f"PYSPARK_SUBMIT_ARGS is {arguments!r}, and has to end in pyspark-shell; "
            "add that word, or unset it"
        )


def _check_spark_home() -> None:
    """Raise FruitsError where SPARK_HOME, from which PySpark starts Spark, is another version."""
    home = os.environ.get("SPARK_HOME")
    if home is None:
        return
    version = version_of_jar(Path(home, "jars"), _SPARK_JAR)
    if version != pyspark.__version__:
        found = f"Spark {version}" if version else "no Spark"
        raise FruitsError(
            f"SPARK_HOME={home} holds {found}, and Spark {pyspark.__version__} is needed; "
            "unset SPARK_HOME, or set it to that version"
        )


def _check_address(master: str) -> None:
    """Raise FruitsError where no master listens, which Spark reports after a minute."""
    if not master.startswith("spark://"):
        return
    for address in master.removeprefix("spark://").split(","):
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_CONNECT_TIMEOUT_S).close()
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else "no host:port"
            failure = f"--master {master} cannot be reached ({reason}); check the address"
        else:
            return
    raise FruitsError(failure)


def version_of_jar(folder: Path, name: re.Pattern[str]) -> str | None:
    """Return the first group of ``name`` in the first matching file name, or None."""
    versions = (match[1] for jar in folder.glob("*.jar") if (match := name.fullmatch(jar.name)))
    return next(versions, None)
