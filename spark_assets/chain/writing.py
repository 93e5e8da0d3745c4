"""What the driver adds to the files that tasks have written of a run."""

import pyarrow as pa

from spark_assets.chain.plan import Plan
from spark_assets.chain.started_run import StartedRun
from spark_assets.features.outcome_files import SCHEMAS, TableFolders
from spark_assets.storage.files import delete_file, make_folder, names_in, write_bytes
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import CHANGES, Outcome


def table_folders(run: StartedRun) -> TableFolders:
    """Return the folders that the tables of a run are written into, made where they are missing."""
    layout, run_id = run.layout, run.run_id
    folders = layout.features(run_id), layout.rejected(run_id), layout.changes(run_id)
    for folder in folders:
        make_folder(folder)
    return TableFolders(*folders)


def keep_files(run: StartedRun, kept: list[str]) -> None:
    """Remove what attempts of tasks have written that did not count.

    A table without a row gets a file for its columns.  ``kept`` are names as `write_outcomes` gives
    them.
    """
    folders = table_folders(run)
    for table, schema in SCHEMAS.items():
        folder: Location = getattr(folders, table)
        names = {each.partition("/")[2] for each in kept if each.startswith(f"{table}/")}
        for name in {*names_in(folder)} - names:
            delete_file(folder.child(name))
        if not names:
            write_bytes(folder.child("empty.zstd.parquet"), to_parquet(schema.empty_table()))


def write_gone(run: StartedRun, plan: Plan) -> None:
    """Write that the source no longer has some images."""
    if not plan.n_gone:
        return
    columns = {column.name: pa.nulls(plan.n_gone, column.type) for column in CHANGES}
    columns |= {"path": plan.gone, "outcome": pa.repeat(str(Outcome.GONE), plan.n_gone)}
    file = run.layout.changes(run.run_id).child("gone.zstd.parquet")
    write_bytes(file, to_parquet(pa.table(columns, CHANGES)))
