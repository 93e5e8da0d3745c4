"""What the JVM says of a failure, without its classes and its stack."""

import re
from typing import Any

from py4j.protocol import Py4JJavaError

_CLASS = r"(?:[\w$]+\.)+[\w$]+"
_THROWN = re.compile(
    rf"^(?:Caused by: |Exception in thread \"[^\"]*\" ){_CLASS}: (.+)$", re.MULTILINE
)
# What stands round the one line that says what is wrong: frames, log lines, notes, farewells.
_NOISE = re.compile(
    r"^(?:\s|\d\d/\d\d/\d\d |NOTE: |WARNING: |Picked up |Using Spark's |Setting default log level"
    r"|To adjust logging|Error: Could not create the Java|Error: A fatal exception has occurred)"
)
_PREFIXES = re.compile(rf"^(?:{_CLASS}: |Error: )+")
_MAX_CHARACTERS = 300


def last_sentence(printed: str) -> str | None:
    """Return the line that says why a JVM ended, from what it printed, or None."""
    said = [line for line in printed.splitlines() if line.strip() and not _NOISE.match(line)]
    errors = [line for line in said if line.startswith("Error: ")]  # help follows some of them
    told = errors or _THROWN.findall(printed) or said
    return _shortened(told[-1]) if told else None


def root_cause(error: Py4JJavaError) -> str:
    """Return the message of what was thrown first in the JVM; of its class only the last name."""
    thrown: Any = error.java_exception
    while (cause := thrown.getCause()) is not None:
        thrown = cause
    message = thrown.getMessage()
    return _shortened(str(message)) if message else str(thrown.getClass().getSimpleName())


def first_line(text: str) -> str:
    """Return the first line that is not blank, of a length to be shown."""
    first = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return first[:_MAX_CHARACTERS]


def _shortened(message: str) -> str:
    return _PREFIXES.sub("", first_line(message)).rstrip(" .;")
