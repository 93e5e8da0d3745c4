"""Parquet files without some rows: only those files are written anew that hold one of them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.fs
import pyarrow.parquet

from spark_assets.storage.files import replace_file
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet

_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Files that were written anew, their size before in bytes, and the rows that went."""

    n_files: int = 0
    n_bytes: int = 0
    n_rows: int = 0

    def __add__(self, other: "Rewritten") -> "Rewritten":
        return Rewritten(
            self.n_files + other.n_files, self.n_bytes + other.n_bytes, self.n_rows + other.n_rows
        )


def remove_rows(folder: Location, paths: Sequence[str]) -> Rewritten:
    """Remove the rows of some paths from the Parquet files of a folder.

    A file stays as it is where its statistics or its column ``path`` say that it holds none of
    them; one that holds nothing else stays as a file without rows.  Each file is replaced whole, so
    that an interruption leaves files of either kind, and the same call does the rest.
    """
    erased = pa.array(sorted(paths), pa.string())
    return sum((_remove_from(file, erased) for file in _files(folder)), Rewritten())


def count_affected(folder: Location, paths: Sequence[str]) -> Rewritten:
    """Return what `remove_rows` would do, without doing it."""
    erased = pa.array(sorted(paths), pa.string())
    return sum((_affected(file, erased) for file in _files(folder)), Rewritten())


def size_of(folder: Location) -> int:
    """Return how many bytes the Parquet files of a folder have."""
    filesystem = folder.filesystem
    sizes = (filesystem.get_file_info(file.base).size for file in _files(folder))
    return sum(size or 0 for size in sizes)


def _files(folder: Location) -> Iterator[Location]:
    selector = pyarrow.fs.FileSelector(folder.base, allow_not_found=True, recursive=True)
    for info in sorted(folder.filesystem.get_file_info(selector), key=lambda info: info.path):
        if info.type == pyarrow.fs.FileType.File and info.base_name.endswith(".parquet"):
            yield Location(info.path, folder.s3)


def _affected(file: Location, erased: pa.Array) -> Rewritten:
    with file.filesystem.open_input_file(file.base) as source:
        parquet = pyarrow.parquet.ParquetFile(source)
        if not _may_hold(parquet.metadata, erased):
            return Rewritten()
        held = parquet.read(columns=["path"]).column("path")
        n_rows = pc.sum(pc.is_in(held, erased)).as_py() or 0
        return Rewritten(1, source.size(), n_rows) if n_rows else Rewritten()


def _remove_from(file: Location, erased: pa.Array) -> Rewritten:
    affected = _affected(file, erased)
    if affected.n_rows:
        with file.filesystem.open_input_file(file.base) as source:
            table = pyarrow.parquet.ParquetFile(source).read()
        kept = table.filter(pc.invert(pc.is_in(table.column("path"), erased)))
        replace_file(file, _encoded(kept))
    return affected


def _may_hold(metadata: pyarrow.parquet.FileMetaData, erased: pa.Array) -> bool:
    """Tell from a file's statistics whether it may hold one of the paths, which are sorted."""
    column = metadata.schema.to_arrow_schema().names.index("path")
    paths = erased.to_pylist()
    for index in range(metadata.num_row_groups):
        statistics = metadata.row_group(index).column(column).statistics
        if statistics is None or not statistics.has_min_max:
            return True
        lowest, highest = statistics.min, statistics.max
        if any(lowest <= path <= highest for path in paths):
            return True
    return False


def _encoded(table: pa.Table) -> bytes:
    """Return a Parquet file with the same columns, types and compression."""
    # Arrow reads Spark's older form of timestamps without their zone, and in nanoseconds.
    fields = [
        field.with_type(_INSTANT) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    return to_parquet(table.cast(pa.schema(fields, metadata=table.schema.metadata)))
