"""The JVM: supported versions of Java, options for a quick start, and its error messages."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from py4j.protocol import Py4JJavaError

from spark_assets.errors import FruitsError
from spark_assets.runtime.process_environment import JVM_OPTION_VARIABLES
from spark_assets.storage.locations import user_folder

# Versions for Spark 4.1, whose Hadoop client fails at the first file from Java 24 on.
_JAVA_MIN, _JAVA_MAX = 17, 23

# Class data sharing (JEP 350): the classes of a run, parsed and verified by `make setup`.  Without
# it, or with another Java or Spark, they are loaded one by one.
CLASS_ARCHIVE = Path(sys.prefix, "share", "fruits", "spark.jsa")
_QUICK_START = (
    # One thread collects the garbage of a heap of 2 GB on few cores, where G1 starts several.
    "-XX:+UseSerialGC",
    # A short run ends before the optimizing compiler pays off: it compiles code that is called ten
    # times as often as by default.  Without it at all, a PCA took half as long again.
    "-XX:Tier4InvocationThreshold=50000",
    "-XX:Tier4MinInvocationThreshold=6000",
    "-XX:Tier4CompileThreshold=150000",
    "-XX:Tier4BackEdgeThreshold=400000",
    # An archive of another version is reported on stdout, without harm.
    "-Xlog:cds*=off",
    "-Xlog:class+path*=off",
)

_CLASS = r"(?:[\w$]+\.)+[\w$]+"
_THROWN = re.compile(
    rf"^(?:Caused by: |Exception in thread \"[^\"]*\" ){_CLASS}: (.+)$", re.MULTILINE
)
# Lines around the error message: frames, log lines, notes.
_NOISE = re.compile(
    r"^(?:\s|\d\d/\d\d/\d\d |NOTE: |WARNING: |Picked up |Using Spark's |Setting default log level"
    r"|To adjust logging|Error: Could not create the Java|Error: A fatal exception has occurred)"
)
_PREFIXES = re.compile(rf"^(?:{_CLASS}: |Error: )+")
_MAX_CHARACTERS = 300


def jvm_options() -> str:
    """Return the options of a JVM for seconds or minutes; FRUITS_JVM_OPTIONS is appended."""
    options = [
        *_QUICK_START,
        f"-Djava.io.tmpdir={tempfile.gettempdir()}",
        # From passwd otherwise, where the user of a container may have no entry.
        f"-Duser.home={user_folder()}",
    ]
    if CLASS_ARCHIVE.is_file():
        options.append(f"-XX:SharedArchiveFile={CLASS_ARCHIVE}")
    quoted = [f'"{option}"' for option in options]
    return " ".join([*quoted, os.environ.get("FRUITS_JVM_OPTIONS", "")]).strip()


def check_java() -> None:
    """Raise FruitsError where Java is missing, does not start or has an unsupported version."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which(f"{home}/bin/java" if home else "java")
    allowed = f"Spark needs Java {_JAVA_MIN} to {_JAVA_MAX}"
    fix = "install it (Debian: apt-get install openjdk-17-jre-headless) or set JAVA_HOME to it"
    if java is None:
        where = f"in JAVA_HOME={home}" if home else "on the PATH"
        raise FruitsError(f"no java was found {where}; {allowed}: {fix}")
    printed = _version_text(java)
    version = re.search(r'version "(?:1\.)?(\d+)', printed)
    if version is None:
        is_set = [name for name in JVM_OPTION_VARIABLES if name in os.environ]
        if is_set:
            fix = f"unset {' and '.join(is_set)}, whose options it does not take"
        raise FruitsError(
            f"{java} does not start ({last_sentence(printed) or 'it prints nothing'}); "
            f"{allowed}: {fix}"
        )
    if not _JAVA_MIN <= int(version[1]) <= _JAVA_MAX:
        raise FruitsError(f"{java} is Java {version[1]}; {allowed}: {fix}")


def _version_text(java: str) -> str:
    try:
        return subprocess.run(
            [java, "-version"], capture_output=True, text=True, check=False
        ).stderr
    except OSError as error:  # a file of another architecture, or no executable
        return f"Error: {error.strerror}"


def last_sentence(printed: str) -> str | None:
    """Return the error message in the output of a JVM that ended, or None."""
    lines = [line for line in printed.splitlines() if line.strip() and not _NOISE.match(line)]
    errors = [line for line in lines if line.startswith("Error: ")]  # help follows some of them
    messages = errors or _THROWN.findall(printed) or lines
    return _shortened(messages[-1]) if messages else None


def root_cause(error: Py4JJavaError) -> str:
    """Return the message of the first exception in the JVM, or the name of its class."""
    thrown: Any = error.java_exception
    while (cause := thrown.getCause()) is not None:
        thrown = cause
    message = thrown.getMessage()
    return _shortened(str(message)) if message else str(thrown.getClass().getSimpleName())


def first_line(text: str) -> str:
    """Return the first line that is not blank, at most 300 characters."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first[:_MAX_CHARACTERS]


def _shortened(message: str) -> str:
    return _PREFIXES.sub("", first_line(message)).rstrip(" .;")
