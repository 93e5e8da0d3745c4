"""The last words of a failed step, from the logs that EMR ships to the bucket.

Under spark-submit, Spark joins what a Python program says on stderr to its stdout: the sentences
of the chain are in the stdout of a step, and what Spark itself says in the stderr.  It is so on a
cluster and on EMR Serverless.
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

_LOOK_EVERY_S = 15.0
_NAMES = ("stdout.gz", "stderr.gz")
_OUR_SENTENCES = "fruits: "
_N_SENTENCES = 5
_N_LINES = 20
_MAX_LINE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class StepLog:
    """The end of a log; ``lines`` is None where the log has not come yet."""

    uri: str
    lines: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class _Shipped:
    uri: str
    shipped_at: datetime
    lines: tuple[str, ...]
    has_our_sentence: bool


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
    """Return what a failed step said last, after waiting up to ``wait_s`` seconds for its log.

    The sentences of the chain itself where there are any, the last lines elsewhere.  A log that
    was shipped before ``ended_at`` has not its end.
    """
    start = clock()
    announced = False
    while True:
        shipped = _most_telling(s3, folder)
        left_s = wait_s - (clock() - start)
        if shipped is not None and (_is_whole(shipped, ended_at) or left_s <= 0):
            return StepLog(shipped.uri, shipped.lines)
        if left_s <= 0:
            return StepLog(f"{folder.uri}/", None)
        if not announced:
            announced = True
            echo(f"waiting for the log of {name}, which EMR ships every few minutes")
        sleep(min(_LOOK_EVERY_S, left_s))


def _most_telling(s3: Client, folder: Location) -> _Shipped | None:
    """Return the log with a sentence of the chain, else that of Spark, else what there is."""
    logs = [log for name in _NAMES if (log := _read(s3, folder.child(name))) is not None]
    ours = [log for log in logs if log.has_our_sentence]
    return next(iter([*ours, *reversed(logs)]), None)


def _is_whole(shipped: _Shipped, ended_at: datetime | None) -> bool:
    """Tell whether a log has its end: EMR ships what there is while a step still runs."""
    return shipped.has_our_sentence or ended_at is None or shipped.shipped_at >= ended_at


def _read(s3: Client, log: Location) -> _Shipped | None:
    try:
        answer = s3.get_object(Bucket=log.bucket, Key=log.prefix.removesuffix("/"))
    except botocore.exceptions.ClientError as error:
        if error_code(error) == "NoSuchKey":
            return None
        raise
    with answer["Body"] as body:
        sentences, lines = _end_of(body)
    return _Shipped(log.uri, answer["LastModified"], tuple(sentences or lines), bool(sentences))


def _end_of(compressed: IO[bytes]) -> tuple[deque[str], deque[str]]:
    """Return the last sentences of the chain and the last lines, in bounded memory."""
    sentences: deque[str] = deque(maxlen=_N_SENTENCES)
    lines: deque[str] = deque(maxlen=_N_LINES)
    try:
        with gzip.GzipFile(fileobj=compressed) as stream:
            while line := stream.readline(_MAX_LINE_BYTES):
                text = printable_line(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
                lines.append(text)
                if text.startswith(_OUR_SENTENCES):
                    sentences.append(text)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        lines.append(f"(the log breaks off here: {error})")
    return sentences, lines
