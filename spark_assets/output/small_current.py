"""What is current in an output, told by the driver alone: Spark's joins of few rows take longer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from spark_assets.output.erasing import hidden_paths
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import open_table
from spark_assets.schemas import CHANGES, Outcome

# What is noted of so many images is read here in a second or two.
_MAX_NOTED = 400_000
_COLUMNS = ["path", "size_bytes", "modified_at", "outcome", "reason"]


@dataclass(frozen=True, slots=True)
class Noted:
    """What the run that decides about an image has noted of it."""

    path: str
    run_id: str
    size_bytes: int | None
    modified_at: datetime | None
    outcome: str
    reason: str | None


def small_state(layout: OutputLayout, runs: Sequence[RunManifest]) -> dict[str, Noted] | None:
    """Return what is noted of each image that is current, by path, or None where that is much.

    The newest of ``runs`` that found something of an image decides about it, as in `current_state`.
    """
    if sum(run.counts.n_images + run.counts.n_gone for run in runs) > _MAX_NOTED:
        return None
    state: dict[str, Noted] = {}
    for run in runs:
        for noted in _noted(layout, run.run_id):
            state[noted.path] = noted
    hidden = set(hidden_paths(layout))
    return {
        path: noted
        for path, noted in state.items()
        if noted.outcome != Outcome.GONE and path not in hidden
    }


def _noted(layout: OutputLayout, run_id: str) -> Iterator[Noted]:
    table = open_table(layout.changes(run_id), CHANGES).to_table(columns=_COLUMNS)
    columns = (table.column(name).to_pylist() for name in _COLUMNS)
    for path, size_bytes, modified_at, outcome, reason in zip(*columns, strict=True):
        yield Noted(path, run_id, size_bytes, modified_at, outcome, reason)
