"""The state of an output, as one Arrow table in the driver: what is known of each image.

Only the narrow tables of changes are read: of a million images they hold 100 MB, and no features.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.erasing import hidden_paths
from spark_assets.output.history import are_all_current
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_tables import open_table
from spark_assets.output.table_files import CurrentFiles, RowChoice, files_of
from spark_assets.storage.schemas import CHANGES, Outcome

# `schemas.CHANGES` with the run that decided.
STATE = CHANGES.append(pa.field("run_id", pa.string(), nullable=False))


def current_state(layout: OutputLayout, runs: Sequence[RunManifest]) -> pa.Table:
    """Return a row of `STATE` for each image that is current, ordered by path.

    The newest of ``runs``, oldest first, that found something of an image decides about it.
    """
    ordered = pa.concat_tables([STATE.empty_table(), *(_changes(layout, run) for run in runs)])
    # Run ids increase strictly within an output: of one path, the newest run comes last.
    ordered = ordered.sort_by([("path", "ascending"), ("run_id", "ascending")])
    decides = pc.and_(_is_last(ordered), pc.not_equal(ordered["outcome"], str(Outcome.GONE)))
    if hidden := hidden_paths(layout):
        is_hidden = pc.is_in(ordered["path"], value_set=pa.array(hidden, pa.string()))
        decides = pc.and_not(decides, is_hidden)
    return ordered.filter(decides)


def outdated_paths(layout: OutputLayout, runs: Sequence[RunManifest]) -> dict[str, pa.Array]:
    """Return by run the paths of its rows of features that no longer count, of runs with any."""
    state = current_state(layout, runs).select(["path", "run_id"])
    outdated = {}
    for run in runs:
        changes = _changes(layout, run)
        written = changes.filter(pc.equal(changes["outcome"], str(Outcome.FEATURES)))["path"]
        kept = state.filter(pc.equal(state["run_id"], run.run_id))["path"]
        gone = written.filter(pc.invert(pc.is_in(written, value_set=kept.combine_chunks())))
        if len(gone):
            outdated[run.run_id] = gone.combine_chunks()
    return outdated


def feature_files(
    layout: OutputLayout, runs: Sequence[RunManifest], made_by: Sequence[RunManifest]
) -> CurrentFiles:
    """Return the features that the runs ``made_by`` have written, and that count after ``runs``."""
    with_rows = [run for run in made_by if run.counts.n_features]
    outdated = {} if are_all_current(layout, runs) else outdated_paths(layout, runs)
    n_outdated = sum(len(outdated.get(run.run_id, ())) for run in with_rows)
    return CurrentFiles(
        files_of({run.run_id: layout.features(run.run_id) for run in with_rows}),
        RowChoice(outdated, but=True),
        sum(run.counts.n_features for run in with_rows) - n_outdated,
    )


def _changes(layout: OutputLayout, run: RunManifest) -> pa.Table:
    table = open_table(layout.changes(run.run_id), CHANGES).to_table()
    return table.append_column(STATE.field("run_id"), pa.repeat(run.run_id, table.num_rows))


def _is_last(ordered: pa.Table) -> pa.Array:
    """Return which rows are the last ones of their path."""
    paths = ordered["path"].combine_chunks()
    if not len(paths):
        return pa.array([], pa.bool_())
    differs = pc.not_equal(paths.slice(0, len(paths) - 1), paths.slice(1))
    return pa.concat_arrays([differs, pa.array([True])])
