"""The last lines of a failed step, from the logs that EMR ships to the bucket.

Under spark-submit, stderr of a Python program goes to stdout: the errors of the chain are in the
stdout of a step, Spark's own in the stderr, on a cluster and on EMR Serverless.
"""

import gzip
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import botocore.exceptions

from operations.aws.clients import Client
from spark_assets.runtime.progress import echo
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import error_code
from spark_assets.text.printable import printable_line

# On a cluster EMR ships the logs of a step every five minutes.
SHIPPED_WITHIN_S = 300.0

_POLL_INTERVAL_S = 15.0
_NAMES = ("stdout.gz", "stderr.gz")
_ERROR_PREFIX = "fruits: "
_N_ERRORS = 5
_N_LINES = 20
_MAX_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StepLog:
    """The end of a log; ``lines`` is None before EMR has shipped it."""

    uri: str
    lines: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Shipped:
    uri: str
    shipped_at: datetime
    lines: tuple[str, ...]
    has_error: bool


def last_lines(
    s3: Client,
    folder: Location,
    name: str,
    ended_at: datetime | None,
    *,
    wait_s: float = SHIPPED_WITHIN_S,
    sleep: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> StepLog:
    """Return the end of a failed step's log, after waiting up to ``wait_s`` seconds for it.

    The errors of the chain if there are any, else the last lines.  A log that was shipped before
    ``ended_at`` lacks its end.
    """
    start = clock()
    announced = False
    while True:
        shipped = _best_log(s3, folder)
        left_s = wait_s - (clock() - start)
        if shipped is not None and (_is_whole(shipped, ended_at) or left_s <= 0):
            return StepLog(shipped.uri, shipped.lines)
        if left_s <= 0:
            return StepLog(f"{folder.uri}/", None)
        if not announced:
            announced = True
            echo(f"waiting for the log of {name}, which EMR ships every few minutes")
        sleep(min(_POLL_INTERVAL_S, left_s))


def _best_log(s3: Client, folder: Location) -> _Shipped | None:
    """Return the log with an error of the chain, else that of Spark, else any."""
    logs = [log for name in _NAMES if (log := _read(s3, folder.child(name))) is not None]
    with_errors = [log for log in logs if log.has_error]
    return next(iter([*with_errors, *reversed(logs)]), None)


def _is_whole(shipped: _Shipped, ended_at: datetime | None) -> bool:
    """Return whether a log has its end: EMR ships parts while a step still runs."""
    return shipped.has_error or ended_at is None or shipped.shipped_at >= ended_at


def _read(s3: Client, log: Location) -> _Shipped | None:
    try:
        answer = s3.get_object(Bucket=log.bucket, Key=log.prefix.removesuffix("/"))
    except botocore.exceptions.ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
    with answer["Body"] as body:
        errors, lines = _end_of(body)
    return _Shipped(log.uri, answer["LastModified"], tuple(errors or lines), bool(errors))


def _end_of(compressed: IO[bytes]) -> tuple[deque[str], deque[str]]:
    """Return the last errors of the chain and the last lines, in bounded memory."""
    errors: deque[str] = deque(maxlen=_N_ERRORS)
    lines: deque[str] = deque(maxlen=_N_LINES)
    try:
        with gzip.GzipFile(fileobj=compressed) as stream:
            while line := stream.readline(_MAX_LINE_BYTES):
                text = printable_line(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
                lines.append(text)
                if text.startswith(_ERROR_PREFIX):
                    errors.append(text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        lines.append(f"(the log is cut off here: {error})")
    return errors, lines
