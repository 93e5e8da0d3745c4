"""What every command that works on AWS does alike: from an exception to a sentence."""

from collections.abc import Callable

from operations.aws.failures import aws_failures
from spark_assets.errors import ExitCode
from spark_assets.jobs.plain_entry import run_plain_entry


def run_cloud_entry(work: Callable[[], ExitCode], *, verbose: bool, interrupted: str) -> int:
    """Run an entry point as `run_plain_entry` does, with the failures of AWS told as well."""

    def told() -> ExitCode:
        with aws_failures():
            return work()

    return run_plain_entry(told, verbose=verbose, interrupted=interrupted)
