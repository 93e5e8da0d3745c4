"""What every command that writes an output does first: take it, and clear up after the dead."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from spark_assets.jobs.arguments import DEFAULT_MAX_POINTS
from spark_assets.output.commit import recover
from spark_assets.output.erasure_journal import pending_erasures
from spark_assets.output.lease import hold_lease
from spark_assets.output.output import RUNS, Output, check_output
from spark_assets.runtime.spark_context import GetSpark, SparkOnDemand, is_submitted, start_context
from spark_assets.storage.files import names_in
from spark_assets.storage.locations import Location


@contextmanager
def working_on(output: Location, purpose: str, parsed: argparse.Namespace) -> Iterator[None]:
    """Be the only one that writes an output, and remove what those that died have left in it.

    ``parsed`` has what `add_common` adds.  Raises FruitsError, which names the other, where one is
    at work and it is not to be waited for, and where there is no output.
    """
    check_output(output)
    with hold_lease(output, purpose=purpose, wait=parsed.wait):
        recover(output)
        yield


@contextmanager
def spark_on(
    output: Location, purpose: str, parsed: argparse.Namespace, *, may_be_new: bool = False
) -> Iterator[SparkOnDemand]:
    """Work on an output as in `working_on`, with Spark started once something needs it.

    An erasure that was interrupted goes on first: nothing is built on what it has to remove.
    """
    if not may_be_new:
        check_output(output)
    with hold_lease(output, purpose=purpose, wait=parsed.wait), spark(purpose, parsed) as on_demand:
        is_all_new = on_demand.is_requested and not names_in(output.child(RUNS))
        if is_submitted() or is_all_new:
            on_demand.begin()
        recover(output)
        if pending_erasures(opened := Output.open(output)):
            _go_on_erasing(on_demand, opened)
        yield on_demand


def spark(purpose: str, parsed: argparse.Namespace) -> SparkOnDemand:
    """Return Spark as a command line asks for it, to be started on demand."""
    return SparkOnDemand(
        partial(start_context, purpose, master=parsed.master, verbose=parsed.verbose),
        is_requested=parsed.master is not None or is_submitted(),
    )


def _go_on_erasing(spark: GetSpark, output: Output) -> None:
    # Its libraries take half a second to load.
    from spark_assets.erasure.rewrite_output import rewrite_unfinished

    rewrite_unfinished(spark, output, max_points=DEFAULT_MAX_POINTS)
