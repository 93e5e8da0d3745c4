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
STATE = CHANGES.append(pa.field("run_id", pa.dictionary(pa.int32(), pa.string()), nullable=False))


def current_state(
    layout: OutputLayout, runs: Sequence[RunManifest], columns: Sequence[str] = STATE.names
) -> pa.Table:
    """Return a row of `STATE` for each image that is current, ordered by path.

    The newest of ``runs``, oldest first, that found something of an image decides about it.
    ``columns`` are those that are read, among them path, outcome and run_id.
    """
    ordered = all_changes(layout, runs, columns)
    decides = pc.and_(_is_last(ordered), pc.not_equal(ordered["outcome"], str(Outcome.GONE)))
    if hidden := hidden_paths(layout):
        is_hidden = pc.is_in(ordered["path"], value_set=pa.array(hidden, pa.string()))
        decides = pc.and_not(decides, is_hidden)
    return ordered.filter(decides)


def all_changes(
    layout: OutputLayout, runs: Sequence[RunManifest], columns: Sequence[str] = STATE.names
) -> pa.Table:
    """Return all that runs have noted of images, as `STATE`, ordered by path and then by run."""
    empty = STATE.empty_table().select(columns)
    changes = pa.concat_tables([empty, *(_changes(layout, run, columns) for run in runs)])
    # A stable sort of what is in the order of the runs: of one path, the newest run comes last.
    return changes.sort_by("path")


def outdated_paths(layout: OutputLayout, runs: Sequence[RunManifest]) -> dict[str, pa.Array]:
    """Return by run the paths of its rows of features that no longer count, of runs with any."""
    state = current_state(layout, runs, ("path", "outcome", "run_id"))
    outdated = {}
    for run in runs:
        changes = _changes(layout, run, ("path", "outcome", "run_id"))
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


def _changes(layout: OutputLayout, run: RunManifest, columns: Sequence[str]) -> pa.Table:
    held = [name for name in columns if name != "run_id"]
    table = open_table(layout.changes(run.run_id), CHANGES).to_table(columns=held)
    # Twenty characters for each image, and the same ones for all of a run.
    run_ids = pa.DictionaryArray.from_arrays(
        pa.repeat(0, table.num_rows).cast("int32"), [run.run_id]
    )
    return table.append_column(STATE.field("run_id"), run_ids)


def _is_last(ordered: pa.Table) -> pa.Array:
    """Return which rows are the last ones of their path."""
    paths = ordered["path"].combine_chunks()
    if not len(paths):
        return pa.array([], pa.bool_())
    differs = pc.not_equal(paths.slice(0, len(paths) - 1), paths.slice(1))
    return pa.concat_arrays([differs, pa.array([True])])
