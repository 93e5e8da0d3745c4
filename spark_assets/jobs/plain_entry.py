"""What the commands without Spark do alike: from an exception to a sentence and an exit code."""

import sys
from collections.abc import Callable

from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.failures import tell_failure
from spark_assets.runtime.signals import silent_at_closed_pipe


@silent_at_closed_pipe()
def run_plain_entry(
    work: Callable[[], ExitCode], *, verbose: bool, interrupted: str = "interrupted"
) -> int:
    """Run an entry point that needs no Spark, as `run_entry` does.

    In this thread, where Ctrl-C ends a wait at once; ``interrupted`` is said of that.
    """
    try:
        return int(work())
    except KeyboardInterrupt:
        print(interrupted, file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except (FruitsError, OSError) as error:
        return tell_failure(error, verbose=verbose)
