"""Work that Ctrl-C ends with the jobs that Spark has for it."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.error_reports import sentence_of
from spark_assets.runtime.progress import echo
from spark_assets.runtime.signals import (
    cancel_spark_jobs,
    interrupt,
    is_interrupted,
    reset_interruption,
)

_POLL_S = 0.1


def run_interruptibly(work: Callable[[], ExitCode]) -> ExitCode:
    """Run work in a second thread and return its exit code, or that of an interruption.

    Ctrl-C then meets this thread, which can cancel the jobs of Spark while the other waits for
    them: PySpark's own handler asks Spark to cancel from within the call that it interrupts, and
    ends in a stack trace.  A second Ctrl-C ends the process at once, and the next command removes
    the files that it leaves.

    Raises FruitsError for an error of PySpark.
    """
    with _ctrl_c_interrupts(), ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        if _is_interrupted_before_the_end_of(result):
            return ExitCode.INTERRUPTED
        try:
            return result.result()
        except PySparkException as error:
            raise FruitsError(sentence_of(error)) from error


@contextmanager
def _ctrl_c_interrupts() -> Iterator[None]:
    """Set the event of interruption at the first Ctrl-C, and end the process at the second.

    An exception, as Python's own handler raises it, could come anywhere, such as between the start
    of the work and the wait for it.
    """

    def handle(_signal: int, _frame: object) -> None:
        if is_interrupted():
            os._exit(ExitCode.INTERRUPTED)
        interrupt()

    reset_interruption()
    before = signal.getsignal(signal.SIGINT)
    # A shell starts background processes with Ctrl-C ignored.
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, handle)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        reset_interruption()  # what this process does next is not interrupted


def _is_interrupted_before_the_end_of(work: Future[ExitCode]) -> bool:
    """Wait for work; once interrupted, cancel the jobs of Spark until the work has ended.

    The wait polls: the system may hand Ctrl-C to any thread, and does where threads are being made,
    and nothing wakes this thread then.  Spark may not have started yet, and is not stopped under
    the work: a job that starts at that moment would never return.
    """
    while not (work.done() or is_interrupted()):
        wait([work], timeout=_POLL_S)
    if not is_interrupted():
        return False
    echo("interrupted; only what is complete is visible")
    while not work.done():
        with suppress(Py4JError, PySparkException):  # the JVM has ended
            cancel_spark_jobs()
        wait([work], timeout=_POLL_S)
    return True
