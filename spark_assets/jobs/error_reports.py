"""The errors that a command expects, each reported in one sentence."""

import re
import sys

from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JError, Py4JJavaError

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.runtime.java import first_line, root_cause
from spark_assets.runtime.progress import echo
from spark_assets.runtime.signals import closed_outputs
from spark_assets.storage.s3_answers import NO_ACCESS, NO_CREDENTIALS, code_in, sentence_of_code

# Any other exception is a mistake of the program, and ends in its stack trace.
EXPECTED_ERRORS = (FruitsError, Py4JError, OSError, BotoCoreError, ClientError)
# A FruitsError raised in a worker arrives as text, inside the trace of a Python worker.
_WORKER_FAILURE = re.compile(r"^(?:\S*\.)?(?:FruitsError|AccessRefused): (.+?)$", re.MULTILINE)
# The last line of the trace of a worker, which is the exception.
_WORKER_TRACE = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t]+.*\n)+(\S.*)")
_KNOWN = (
    *(
        (sign, sentence_of_code(NO_CREDENTIALS))
        for sign in ("Unable to locate credentials", "No AWS Credentials")
    ),
    ("No space left on device", "the disk is full; free some space and run it again"),
    ("Disk quota exceeded", "the disk quota is used up; free some space and run it again"),
    (
        "Read-only file system",
        "the output is on a read-only file system; choose a place that you may write to",
    ),
    ("Permission denied", "a file or folder is not accessible; check the permissions"),
    ("OutOfMemoryError", "Spark ran out of memory; give the driver or the executors more"),
    (
        "Python worker exited unexpectedly",
        "a Python worker died, most often for lack of memory; "
        "run fewer tasks at a time, or lower --max-image-megapixels",
    ),
    (
        "PYTHON_VERSION_MISMATCH",
        "the workers run another Python than this command; "
        f"set PYSPARK_PYTHON to a Python {sys.version_info[0]}.{sys.version_info[1]} "
        "that every node has",
    ),
)
_MORE = "for the stack trace, add --verbose"


def report_failure(error: Exception, *, verbose: bool) -> int:
    """Print the sentence of an error, or raise it with ``verbose``; return the exit code."""
    # A broken pipe other than stdout and stderr, such as that to the JVM, is an error like others.
    if verbose or (isinstance(error, BrokenPipeError) and closed_outputs()):
        raise error
    echo(f"fruits: {sentence_of(error)}")
    return int(ExitCode.FAILED)


def sentence_of(error: BaseException) -> str:
    """Return what happened and what to do, in one sentence."""
    if isinstance(error, FruitsError):
        return str(error)
    text = str(error)
    if (worker := _WORKER_FAILURE.search(text)) is not None:
        return worker[1]
    for sign, sentence in _KNOWN:
        if sign in text:
            return sentence
    if (code := code_in(text)) is not None:
        return sentence_of_code(code)
    if "AccessDenied" in text:  # the connector's exception for an answer without a code
        return NO_ACCESS
    if trace := _WORKER_TRACE.findall(text):
        return f"a Python worker failed: {first_line(trace[-1])}; {_MORE}"
    if isinstance(error, Py4JJavaError):
        return f"Spark failed: {_java_message(error)}; {_MORE}"
    return f"{type(error).__name__}: {first_line(text)}; {_MORE}"


def _java_message(error: Py4JJavaError) -> str:
    try:
        return root_cause(error)
    except Py4JError:  # the JVM has ended meanwhile
        return first_line(str(error))
