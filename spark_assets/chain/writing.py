"""What the driver adds to the files that tasks have written of a run."""

from collections.abc import Mapping, Sequence

import pyarrow as pa

from spark_assets.chain.plan import Plan
from spark_assets.chain.started_run import StartedRun
from spark_assets.features.outcome_files import SCHEMAS
from spark_assets.storage.files import delete_file, make_folder, names_in, write_bytes
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import CHANGES, Outcome


def make_table_folders(run: StartedRun) -> dict[str, Location]:
    """Make the folders that the tables of a run are written into; return them by table."""
    folders = {table: getattr(run.layout, table)(run.run_id) for table in SCHEMAS}
    for folder in folders.values():
        make_folder(folder)
    return folders


def keep_files(folders: Mapping[str, Location], kept: Sequence[str]) -> None:
    """Remove what attempts of tasks have written that did not count.

    A table without a row gets a file for its columns.  ``kept`` are names as `write_outcomes` gives
    them.
    """
    for table, folder in folders.items():
        names = {each.partition("/")[2] for each in kept if each.startswith(f"{table}/")}
        for name in {*names_in(folder)} - names:
            delete_file(folder.child(name))
        if not names:
            write_bytes(
                folder.child("empty.zstd.parquet"), to_parquet(SCHEMAS[table].empty_table())
            )


def write_gone(run: StartedRun, plan: Plan) -> None:
    """Write that the source no longer has some images."""
    if not plan.n_gone:
        return
    columns = {column.name: pa.nulls(plan.n_gone, column.type) for column in CHANGES}
    columns |= {"path": plan.gone, "outcome": pa.repeat(str(Outcome.GONE), plan.n_gone)}
    file = run.layout.changes(run.run_id).child("gone.zstd.parquet")
    write_bytes(file, to_parquet(pa.table(columns, CHANGES)))
