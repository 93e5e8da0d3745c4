"""What every entry point does alike: from an exception to a sentence and an exit code."""

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

from botocore.exceptions import BotoCoreError, ClientError
from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.errors import PySparkException

from spark_assets.closed_pipe import silent_at_closed_pipe
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.failures import tell_failure

# What is told in one sentence; anything else is a mistake of the program, and is raised.
_TOLD = (FruitsError, PySparkException, Py4JError, OSError, BotoCoreError, ClientError)


@silent_at_closed_pipe()
def run_entry(work: Callable[[], ExitCode], *, verbose: bool) -> int:
    """Run an entry point and return its exit code; tell what failed in one sentence on stderr.

    The work is done in a second thread.  Ctrl-C then meets this one, which can stop Spark while
    the other waits for it: PySpark's own handler asks Spark to cancel from within the call that it
    interrupts, and ends in a stack trace.
    """
    with ThreadPoolExecutor(1) as pool:
        result = pool.submit(work)
        try:
            return int(result.result())
        except KeyboardInterrupt:
            if (context := SparkContext._active_spark_context) is not None:
                _stop_quietly(context)
            wait([result])
            print("interrupted; nothing of this run is visible", file=sys.stderr)
            return int(ExitCode.INTERRUPTED)
        except _TOLD as error:
            return tell_failure(error, verbose=verbose)


def _stop_quietly(context: SparkContext) -> None:
    """Stop Spark in the middle of its work, of which nobody wants to hear any more.

    PySpark's server for accumulators prints a stack trace where the JVM hangs up in the middle of
    what it has to tell.
    """
    if (server := getattr(context, "_accumulatorServer", None)) is not None:
        server.handle_error = lambda *_: None
    context.stop()
