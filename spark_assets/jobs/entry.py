"""What every entry point does alike: from an exception to a sentence and an exit code."""

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.failures import tell_failure
from spark_assets.runtime.progress import echo
from spark_assets.runtime.signals import (
    begin_work,
    interrupt,
    is_interrupted,
    silent_at_closed_pipe,
)

_UNTIL_NEXT_LOOK_S = 0.1
# What is told in one sentence; anything else is a mistake of the program, and is raised.
_TOLD = (FruitsError, PySparkException, Py4JError, OSError, BotoCoreError, ClientError)


@silent_at_closed_pipe()
def run_entry(work: Callable[[], ExitCode], *, verbose: bool) -> int:
    """Run an entry point and return its exit code; tell what failed in one sentence on stderr.

    The work is done in a second thread.  Ctrl-C then meets this one, which can cancel what Spark
    does while the other waits for it: PySpark's own handler asks Spark to cancel from within the
    call that it interrupts, and ends in a stack trace.  A second Ctrl-C ends the process where it
    is, and the next command removes what that leaves.
    """
    with _ctrl_c_interrupts(), ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        if _is_interrupted_before_the_end_of(result):
            return int(ExitCode.INTERRUPTED)
        try:
            return int(result.result())
        except _TOLD as error:
            return tell_failure(error, verbose=verbose)


@contextmanager
def _ctrl_c_interrupts() -> Iterator[None]:
    """Note the first Ctrl-C, and end the process at the second.

    An exception, as Python's own handler raises it, would come anywhere, such as between the start
    of the work and the wait for it.
    """

    def note(_signal: int, _frame: object) -> None:
        if is_interrupted():
            os._exit(ExitCode.INTERRUPTED)
        interrupt()

    begin_work()
    before = signal.getsignal(signal.SIGINT)
    # A shell starts what it puts in the background with Ctrl-C ignored.
    if before is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, note)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        begin_work()  # what this process does next is not interrupted


def _is_interrupted_before_the_end_of(work: Future[ExitCode]) -> bool:
    """Wait for work; once interrupted, say so and cancel what Spark does until it has ended.

    It is looked every now and then: the system may hand Ctrl-C to any thread, and does where
    threads are being made.  Python then notes it, and nothing wakes this thread, which alone acts
    on it.  Spark may not have started yet, and is not stopped under the work: whoever hands it an
    engine at that moment waits for ever.
    """
    while not (work.done() or is_interrupted()):
        wait([work], timeout=_UNTIL_NEXT_LOOK_S)
    if not is_interrupted():
        return False
    echo("interrupted; only what is complete is visible")
    while not work.done():
        context = SparkContext._active_spark_context
        if context is not None:
            _cancel_quietly(context)
        wait([work], timeout=_UNTIL_NEXT_LOOK_S)
    return True


def _cancel_quietly(context: SparkContext) -> None:
    """Cancel all jobs, of which nobody wants to hear any more.

    PySpark's server for accumulators prints a stack trace where the JVM hangs up in the middle of
    what it has to tell.
    """
    # Neither is there while the context is being made.
    if (server := getattr(context, "_accumulatorServer", None)) is not None:
        server.handle_error = lambda *_: None
    if (started := getattr(context, "_jsc", None)) is not None:
        with suppress(Py4JError, PySparkException):  # the work has stopped it
            started.sc().cancelAllJobs()
