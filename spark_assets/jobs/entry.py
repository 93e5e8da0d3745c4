"""What every entry point does alike: from an exception to a sentence and an exit code."""

import os
import signal
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress

from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.failures import tell_failure
from spark_assets.runtime.closed_pipe import silent_at_closed_pipe
from spark_assets.runtime.interruption import begin_work, interrupt
from spark_assets.runtime.progress import say

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
    begin_work()
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        try:
            return int(result.result())
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, lambda *_: os._exit(ExitCode.INTERRUPTED))
            say("interrupted; only what is complete is visible")
            interrupt()
            _end(result)
            return int(ExitCode.INTERRUPTED)
        except _TOLD as error:
            return tell_failure(error, verbose=verbose)


def _end(work: Future[ExitCode]) -> None:
    """Cancel what Spark does until the work has ended: it may not have started Spark yet.

    Spark is not stopped under it: whoever hands it an engine at that moment waits for ever.
    """
    while not work.done():
        context = SparkContext._active_spark_context
        if context is not None:
            _cancel_quietly(context)
        wait([work], timeout=_UNTIL_NEXT_LOOK_S)


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
