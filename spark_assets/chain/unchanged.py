"""Whether a run would find anything new, told without Spark: a schedule often finds nothing."""

from collections.abc import Collection, Sequence
from dataclasses import asdict

from pyspark.sql import Column
from pyspark.sql import functions as F

from spark_assets.chain.started_run import StartedRun
from spark_assets.images.decoding import Reason
from spark_assets.images.listing import ImageEntry
from spark_assets.output.erasing import hidden_paths
from spark_assets.output.small_tables import open_table
from spark_assets.schemas import CHANGES, Outcome

# What is noted of so many images is read here in a second or two.
_MAX_NOTED = 400_000
_COLUMNS = ["path", "size_bytes", "modified_at", "outcome", "reason"]


def is_unchanged(run: StartedRun, listed: Sequence[ImageEntry]) -> bool:
    """Tell whether the images that are listed are those that the output holds, and as they were.

    False too where only Spark can tell, because there is much to read.  `plan_more` comes to the
    same, and says what is new.
    """
    noted = sum(each.counts.n_images + each.counts.n_gone for each in run.earlier)
    if not run.earlier or noted > _MAX_NOTED:
        return False
    held = _held(run)
    if not run.options.is_partial and len(held) != len(listed):
        return False
    return all(held.get(each.path) == (each.size_bytes, each.modified_at) for each in listed)


def _held(run: StartedRun) -> dict[str, object]:
    """Return size and time of each image that is current, None where it wants another look."""
    same_limits = runs_with_limits_of(run)
    held: dict[str, object] = {}
    for earlier in run.earlier:
        changes = open_table(run.layout.changes(earlier.run_id), CHANGES)
        table = changes.to_table(columns=_COLUMNS)
        for path, size_bytes, modified_at, outcome, reason in zip(
            *(column.to_pylist() for column in table.columns), strict=True
        ):
            if outcome == Outcome.GONE:
                held.pop(path, None)
            elif _wants_another_look(reason, earlier.run_id, same_limits):
                held[path] = None
            else:
                held[path] = (size_bytes, modified_at)
    for path in hidden_paths(run.layout):
        held.pop(path, None)
    return held


def runs_with_limits_of(run: StartedRun) -> list[str]:
    """Return the earlier runs that took the same images for too large."""
    limits = asdict(run.options.limits)
    return [each.run_id for each in run.earlier if each.options["limits"] == limits]


def _wants_another_look(reason: str | None, run_id: str, same_limits: Collection[str]) -> bool:
    """Tell of an image that it was rejected for what may be otherwise today.

    What could not be read may be readable, and what was too large may be allowed.
    """
    is_too_large = reason == Reason.TOO_LARGE
    return reason == Reason.UNREADABLE or (is_too_large and run_id not in same_limits)


def wants_another_look(run: StartedRun) -> Column:
    """Return the same for the columns ``reason`` and ``run_id`` of a table in Spark."""
    reason = F.coalesce(F.col("reason"), F.lit(""))
    is_too_large = reason == str(Reason.TOO_LARGE)
    is_unreadable = reason == str(Reason.UNREADABLE)
    return is_unreadable | (is_too_large & ~F.col("run_id").isin(runs_with_limits_of(run)))
