"""Which images of the output are looked at again though they are as they were."""

from collections.abc import Collection
from dataclasses import asdict

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_assets.chain.started_run import StartedRun
from spark_assets.images.decoding import Reason


def runs_with_limits_of(run: StartedRun) -> list[str]:
    """Return the earlier runs that took the same images for too large."""
    limits = asdict(run.options.limits)
    return [each.run_id for each in run.earlier if each.options["limits"] == limits]


def wants_another_look(reason: str | None, run_id: str, same_limits: Collection[str]) -> bool:
    """Tell of an image that it was rejected for what may be otherwise today.

    What could not be read may be readable, and what was too large may be allowed.
    """
    is_too_large = reason == Reason.TOO_LARGE
    return reason == Reason.UNREADABLE or (is_too_large and run_id not in same_limits)


def column_wants_another_look(run: StartedRun) -> Column:
    """Return the same for the columns ``reason`` and ``run_id`` of a table in Spark."""
    reason = F.coalesce(F.col("reason"), F.lit(""))
    is_too_large = reason == str(Reason.TOO_LARGE)
    is_unreadable = reason == str(Reason.UNREADABLE)
    return is_unreadable | (is_too_large & ~F.col("run_id").isin(runs_with_limits_of(run)))
