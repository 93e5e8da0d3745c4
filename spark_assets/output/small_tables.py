"""Tables that the driver reads and writes by itself: a job of Spark's costs more than their rows.

What is done with the rows is the same: tasks and the driver call the same functions.
"""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs
import pyarrow.parquet

from spark_assets.storage.files import make_folder
from spark_assets.storage.locations import Location


def count_rows(folder: Location) -> int:
    """Return the rows of all Parquet files below a folder: none where there is no such folder."""
    selector = pyarrow.fs.FileSelector(folder.base, recursive=True, allow_not_found=True)
    # Spark's marks and checksums are files of such a folder too.
    files = [
        info.path
        for info in folder.filesystem.get_file_info(selector)
        if info.base_name.endswith(".parquet")
    ]
    if not files:
        return 0
    table = pyarrow.dataset.dataset(files, filesystem=folder.filesystem, format="parquet")
    n_rows: int = table.count_rows()
    return n_rows


def open_table(folder: Location, schema: pa.Schema) -> pyarrow.dataset.Dataset:
    """Return a Parquet table to be read without Spark, whole or in batches."""
    return pyarrow.dataset.dataset(
        folder.base, schema=schema, filesystem=folder.filesystem, format="parquet"
    )


def read_table(folders: Sequence[Location], schema: pa.Schema) -> pa.Table:
    """Return the rows of Parquet tables, one after the other."""
    tables = [open_table(folder, schema).to_table() for folder in folders]
    return pa.concat_tables(tables) if tables else schema.empty_table()


def write_table(table: pa.Table, folder: Location, *, rows_per_file: int | None = None) -> None:
    """Write a table as Spark does: columns, types and compression are the same.

    Rows keep their order.  Without rows there is one file, for its columns.
    """
    make_folder(folder)
    n_rows = table.num_rows
    step = rows_per_file or max(1, n_rows)
    for number, start in enumerate(range(0, max(1, n_rows), step)):
        pyarrow.parquet.write_table(
            table.slice(start, step),
            folder.child(f"part-{number:05d}.zstd.parquet").base,
            filesystem=folder.filesystem,
            compression="zstd",
            # The features of two images have no value in common: a dictionary is lost work.
            use_dictionary=[name for name in table.schema.names if "features" not in name],
        )
