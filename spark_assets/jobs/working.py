"""What every command that writes an output does first: take it, and clear up after the dead."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from pyspark.sql import SparkSession

from spark_assets.jobs.arguments import DEFAULT_MAX_POINTS
from spark_assets.output.erasing import pending_erasures
from spark_assets.output.layout import OutputLayout, check_output
from spark_assets.output.lease import hold_lease
from spark_assets.runtime.spark_context import is_submitted, start_context, start_session
from spark_assets.runtime.spark_on_demand import SparkOnDemand
from spark_assets.storage.files import names_in
from spark_assets.storage.locations import Location


@contextmanager
def working_on(output: Location, purpose: str, parsed: argparse.Namespace) -> Iterator[None]:
    """Be the only one that writes an output, and remove what those that died have left in it.

    ``parsed`` has what `add_common` adds.  Raises FruitsError, which names the other, where one is
    at work and it is not to be waited for, and where there is no output.
    """
    check_output(output)
    layout = OutputLayout(output)
    with hold_lease(layout, purpose=purpose, wait=parsed.wait):
        _clear_up(layout)
        yield


@contextmanager
def session_on(
    output: Location, purpose: str, parsed: argparse.Namespace
) -> Iterator[SparkSession]:
    """Start Spark to work on an output, as `working_on` does.

    An erasure that was interrupted goes on first: nothing is built on what it has to remove.
    """
    with working_on(output, purpose, parsed), session(output, purpose, parsed) as spark:
        _go_on_erasing(spark, OutputLayout(output))
        yield spark


@contextmanager
def session_on_demand(
    output: Location, purpose: str, parsed: argparse.Namespace, *, may_be_new: bool = False
) -> Iterator[SparkOnDemand]:
    """Work on an output as in `session_on`, with Spark started once something needs it.

    In an output without runs everything is new, so that it is started at once.
    """
    if not may_be_new:
        check_output(output)
    layout = OutputLayout(output)
    start = partial(
        start_context, purpose, master=parsed.master, s3=output.s3, verbose=parsed.verbose
    )
    with (
        hold_lease(layout, purpose=purpose, wait=parsed.wait),
        SparkOnDemand(start) as on_demand,
    ):
        if is_submitted() or not names_in(layout.manifests):
            on_demand.begin()
        _clear_up(layout)
        if pending_erasures(layout):
            _go_on_erasing(on_demand(), layout)
        yield on_demand


def session(output: Location, purpose: str, parsed: argparse.Namespace) -> SparkSession:
    """Start Spark as a command line asks for it."""
    return start_session(purpose, master=parsed.master, s3=output.s3, verbose=parsed.verbose)


def _clear_up(layout: OutputLayout) -> None:
    # Imported here, and so is what follows, for they take half a second to load: Spark can start
    # before.
    from spark_assets.output.orphans import find_orphans, remove_orphans

    remove_orphans(layout, find_orphans(layout))


def _go_on_erasing(spark: SparkSession, layout: OutputLayout) -> None:
    from spark_assets.erasure.rewrite import rewrite_unfinished

    rewrite_unfinished(spark, layout, max_points=DEFAULT_MAX_POINTS)
