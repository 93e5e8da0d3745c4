"""What the commands without Spark do alike: from an exception to a sentence and an exit code."""

import sys
from collections.abc import Callable

from spark_assets.closed_pipe import silent_at_closed_pipe
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.jobs.failures import tell_failure


@silent_at_closed_pipe()
def run_plain_entry(work: Callable[[], ExitCode], *, verbose: bool) -> int:
    """Run an entry point in this thread and return its exit code, as `run_entry` does."""
    try:
        return int(work())
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return int(ExitCode.INTERRUPTED)
    except (FruitsError, OSError) as error:
        return tell_failure(error, verbose=verbose)
