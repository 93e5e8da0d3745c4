"""What is current in an output, told by the driver alone: Spark's joins of few rows take longer."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from spark_assets.locations import Location
from spark_assets.output.erasing import hidden_paths
from spark_assets.output.history import are_all_current, are_all_rejections_current
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import is_small, open_table, read_table
from spark_assets.schemas import CHANGES, FEATURES, REDUCED, REJECTED, Outcome

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


def small_features(
    layout: OutputLayout, runs: Sequence[RunManifest], made_by: Sequence[RunManifest]
) -> dict[str, pa.Table] | None:
    """Return the current features that the runs ``made_by`` have written, by run, if few."""
    with_rows = [run for run in made_by if run.counts.n_features]
    folders = {run.run_id: layout.features(run.run_id) for run in with_rows}
    if not is_small(sum(run.counts.n_features for run in with_rows)):
        return None
    return _rows(layout, runs, folders, FEATURES, all_count=are_all_current(layout, runs))


def small_reduced(
    layout: OutputLayout, runs: Sequence[RunManifest], folders: Mapping[str, Location]
) -> dict[str, pa.Table] | None:
    """Return the current rows of reduced tables, which ``folders`` has by run, if few."""
    if not is_small(sum(run.counts.n_features for run in runs if run.run_id in folders)):
        return None
    return _rows(layout, runs, folders, REDUCED, all_count=are_all_current(layout, runs))


def small_rejected(layout: OutputLayout, runs: Sequence[RunManifest]) -> dict[str, pa.Table] | None:
    """Return the current rejected images, by run, if few."""
    with_rows = [run for run in runs if run.counts.n_rejected]
    folders = {run.run_id: layout.rejected(run.run_id) for run in with_rows}
    if not is_small(sum(run.counts.n_rejected for run in with_rows)):
        return None
    all_count = are_all_rejections_current(layout, runs)
    return _rows(layout, runs, folders, REJECTED, all_count=all_count)


def _rows(
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    folders: Mapping[str, Location],
    schema: pa.Schema,
    *,
    all_count: bool,
) -> dict[str, pa.Table] | None:
    """Return rows by run, those that no longer count left out unless ``all_count``."""
    if all_count or not folders:
        return {run_id: read_table([folder], schema) for run_id, folder in folders.items()}
    state = small_state(layout, runs)
    if state is None:
        return None
    return {
        run_id: _current(read_table([folder], schema), run_id, state)
        for run_id, folder in folders.items()
    }


def _current(table: pa.Table, run_id: str, state: Mapping[str, Noted]) -> pa.Table:
    paths = table.column("path").to_pylist()
    decides = [(noted := state.get(path)) is not None and noted.run_id == run_id for path in paths]
    return table.filter(pa.array(decides, pa.bool_()))


def _noted(layout: OutputLayout, run_id: str) -> Iterator[Noted]:
    table = open_table(layout.changes(run_id), CHANGES).to_table(columns=_COLUMNS)
    columns = (table.column(name).to_pylist() for name in _COLUMNS)
    for path, size_bytes, modified_at, outcome, reason in zip(*columns, strict=True):
        yield Noted(path, run_id, size_bytes, modified_at, outcome, reason)
