"""The files of an output's tables, read without Spark, by tasks or by the driver.

A file holds the rows of one run, of which a later run may have outdated some.  Workers import this
module, which therefore imports none of pyarrow's datasets: they take 0.2 s.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from spark_assets.storage.files import names_in
from spark_assets.storage.locations import Location

# 5 MB of 1280 numbers: memory is bounded by it, not by the file.
_BATCH_ROWS = 1024
_BUFFER_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class TableFile:
    """A Parquet file that a run has written."""

    run_id: str
    location: Location

    @property
    def name(self) -> str:
        """The name within its folder, under which tables made from it have theirs."""
        return self.location.base.rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class RowChoice:
    """Which rows of files are read: by run the paths of those that are, or with ``but`` are not."""

    paths: Mapping[str, pa.Array]
    but: bool = False

    @classmethod
    def only(cls, rows: pa.Table) -> "RowChoice":
        """Choose rows by the columns ``path`` and ``run_id``."""
        run_ids = rows["run_id"].unique().to_pylist()
        of_run = (rows.filter(pc.equal(rows["run_id"], run_id)) for run_id in run_ids)
        columns = (table["path"].combine_chunks() for table in of_run)
        return cls(dict(zip(run_ids, columns, strict=True)))

    def has_all_of(self, run_id: str) -> bool:
        """Return whether every row of a run is chosen, without a look at its paths."""
        return self.but and run_id not in self.paths

    def mask(self, run_id: str, paths: pa.Array) -> pa.Array:
        """Return which rows with such paths are chosen."""
        named = pc.is_in(paths, value_set=self.paths.get(run_id, pa.array([], pa.string())))
        return pc.invert(named) if self.but else named


@dataclass(frozen=True, slots=True)
class CurrentFiles:
    """Files with rows that are current: which ones these are, and how many."""

    files: Sequence[TableFile]
    choice: RowChoice
    n_rows: int


def files_of(folders: Mapping[str, Location]) -> list[TableFile]:
    """Return the files of folders, which are given by run; one that is not there has none."""
    return [
        TableFile(run_id, folder.child(name))
        for run_id, folder in folders.items()
        for name in names_in(folder)
        if name.endswith(".parquet") and not name.startswith((".", "_"))
    ]


def read_batches(
    file: TableFile, columns: Sequence[str], choice: RowChoice
) -> Iterator[pa.RecordBatch]:
    """Yield the chosen rows of a file, in the order of its rows, in batches of bounded size."""
    location = file.location
    in_s3 = location.s3 is not None
    # In S3, ranges that are near each other are read at once, for it answers one after the other.
    # Elsewhere a file is read bit by bit: whole, one of 66 MB made a worker a quarter larger.
    with pyarrow.parquet.ParquetFile(
        location.base,
        filesystem=location.filesystem,
        pre_buffer=in_s3,
        buffer_size=0 if in_s3 else _BUFFER_BYTES,
    ) as parquet:
        mask = None
        if not choice.has_all_of(file.run_id):
            paths = parquet.read(columns=["path"], use_threads=False)["path"]
            mask = choice.mask(file.run_id, paths.combine_chunks())
            if not mask.true_count:
                return
        first = 0
        for batch in parquet.iter_batches(_BATCH_ROWS, columns=list(columns), use_threads=False):
            chosen = batch.select(columns)
            if mask is not None:
                chosen = chosen.filter(mask.slice(first, batch.num_rows))
            first += batch.num_rows
            yield chosen


def rows_of(choice: RowChoice, schema: pa.Schema, files: Sequence[TableFile]) -> pa.Table:
    """Return the chosen rows of files with the columns of ``schema``."""
    batches = [batch for file in files for batch in read_batches(file, schema.names, choice)]
    # A null where none belongs is for whoever uses the rows to refuse.
    nullable = pa.schema([field.with_nullable(True) for field in schema])
    tables = (pa.Table.from_batches([batch]).cast(nullable) for batch in batches)
    return pa.concat_tables([nullable.empty_table(), *tables])
