"""The tables of an output, read file by file without Spark, by tasks or by the driver.

Workers import this module, so it does not import pyarrow's datasets, which take 0.2 s.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from spark_assets.output.output import Output
from spark_assets.storage.locations import Location

# A file with columns and no rows, from which a reader learns the schema of an empty table.
EMPTY = "empty.parquet"
# 5 MB of 1280 numbers: it bounds memory, whatever the size of the file.
_BATCH_ROWS = 1024
_BUFFER_BYTES = 1024 * 1024
# In S3 each part of a file takes 20 ms.
_N_THREADS, _N_THREADS_S3 = 4, 32


@dataclass(frozen=True, slots=True)
class TableFile:
    """A Parquet file of a table: its path below the output, and its location."""

    path: str
    location: Location

    @property
    def name(self) -> str:
        """The file name, which files derived from it share."""
        return self.path.rpartition("/")[2]


def table_files(output: Output, table: str) -> list[TableFile]:
    """Return the files of a table that have rows, sorted by name."""
    return [
        TableFile(f"{table}/{name}", place)
        for name, place in output.files(table).items()
        if name.endswith(".parquet") and name != EMPTY
    ]


def read_narrow(files: Sequence[TableFile], schema: pa.Schema, columns: Sequence[str]) -> pa.Table:
    """Return some columns of all rows of some files, with the path of the file.

    Parameters
    ----------
    files : sequence of TableFile
        Files of ``schema``.
    columns : sequence of str
        Columns to read.

    Returns
    -------
    pa.Table of shape (n_rows, len(columns) + 1)
        The columns with their types in ``schema``, and ``file``: dictionary<int32, string>.
    """
    narrow = pa.schema([schema.field(column) for column in columns])
    paths = pa.array([file.path for file in files], pa.string())

    def read(number: int) -> pa.Table:
        with open_parquet(files[number].location) as parquet:
            rows = parquet.read(columns=narrow.names, use_threads=False)
        return _with_file(rows.select(narrow.names).cast(narrow), number, paths)

    with ThreadPoolExecutor(_n_threads(files)) as pool:
        none = _with_file(narrow.empty_table(), 0, paths)
        return pa.concat_tables([none, *pool.map(read, range(len(files)))])


def rows_by_run(files: Sequence[TableFile]) -> Counter[str]:
    """Return the number of rows by run, from the footers of files that hold one run."""
    with ThreadPoolExecutor(_n_threads(files)) as pool:
        return sum(pool.map(_rows_by_run, (file.location for file in files)), Counter())


def count_rows(files: Sequence[TableFile]) -> list[int]:
    """Return the number of rows of each file."""
    with ThreadPoolExecutor(_n_threads(files)) as pool:
        return list(pool.map(_n_rows, (file.location for file in files)))


def read_batches(
    file: TableFile, columns: Sequence[str], paths: pa.Array | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in order, in batches of at most 1,024: of ``paths``, or all."""
    with open_parquet(file.location) as parquet:
        mask = None
        if paths is not None:
            held = parquet.read(columns=["path"], use_threads=False)["path"]
            mask = pc.is_in(held.combine_chunks(), value_set=paths)
            if not mask.true_count:
                return
        first = 0
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False):
            chosen = batch.select(columns)
            if mask is not None:
                chosen = chosen.filter(mask.slice(first, batch.num_rows))
            first += batch.num_rows
            yield chosen


def paths_by_file(rows: pa.Table) -> dict[str, pa.Array]:
    """Return the paths of each file, from rows with the columns ``path`` and ``file``."""
    names = rows["file"].cast(pa.string())
    grouped = (
        pa.table({"file": names, "path": rows["path"]})
        .group_by("file")
        .aggregate([("path", "list")])
    )
    by_file = zip(grouped["file"].to_pylist(), grouped["path_list"].combine_chunks(), strict=True)
    return {file: paths.values for file, paths in by_file}


def read_rows(
    chosen: Mapping[str, pa.Array], schema: pa.Schema, files: Sequence[TableFile]
) -> pa.Table:
    """Return the rows of the ``chosen`` paths of each file, with the columns of ``schema``."""
    # The caller rejects a null in a column that may not hold one.
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    tables = [nullable.empty_table()]
    for file in files:
        if file.path in chosen:
            batches = read_batches(file, schema.names, chosen[file.path])
            tables += (pa.Table.from_batches([batch]).cast(nullable) for batch in batches)
    return pa.concat_tables(tables)


def _with_file(rows: pa.Table, number: int, paths: pa.Array) -> pa.Table:
    each = pa.repeat(number, rows.num_rows).cast(pa.int32())
    return rows.append_column("file", pa.DictionaryArray.from_arrays(each, paths))


def _rows_by_run(location: Location) -> Counter[str]:
    with open_parquet(location) as parquet:
        metadata = parquet.metadata
        column = parquet.schema_arrow.names.index("run_id")
        groups = [metadata.row_group(each) for each in range(metadata.num_row_groups)]
        counts: Counter[str] = Counter()
        for group in groups:
            statistics = group.column(column).statistics
            if group.num_rows and (statistics is None or statistics.min != statistics.max):
                run_ids = parquet.read(columns=["run_id"], use_threads=False)["run_id"]
                return Counter(run_ids.to_pylist())
            if group.num_rows:
                counts[statistics.min] += group.num_rows
        return counts


def _n_rows(location: Location) -> int:
    with open_parquet(location) as parquet:
        rows: int = parquet.metadata.num_rows
    return rows


def open_parquet(location: Location) -> pyarrow.parquet.ParquetFile:
    """Open a Parquet file for partial reads."""
    in_s3 = location.s3 is not None
    # In S3, adjacent ranges are read in one request.  A local file is read in small parts: read
    # whole, one of 66 MB made a worker a quarter larger.
    return pyarrow.parquet.ParquetFile(
        location.base,
        filesystem=location.filesystem,
        pre_buffer=in_s3,
        buffer_size=0 if in_s3 else _BUFFER_BYTES,
    )


def _n_threads(files: Sequence[TableFile]) -> int:
    return _N_THREADS_S3 if files and files[0].location.s3 is not None else _N_THREADS
