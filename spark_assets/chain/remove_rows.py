"""Removal of rows from the tables, for a run and for an erasure: their files are rewritten.

Small files, which daily runs leave, are merged once there are many.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.features.partition import MAX_IMAGES
from spark_assets.output.commit import Change
from spark_assets.output.evaluation_record import remove_references
from spark_assets.output.findings_table import remove_findings
from spark_assets.output.output import FEATURES, PCA_MODEL, REDUCED, REJECTED, REPORT, Output
from spark_assets.output.parquet_tables import (
    EMPTY,
    TableFile,
    count_rows,
    open_parquet,
    paths_by_file,
    table_files,
)
from spark_assets.runtime.distribute import map_shares
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.storage import schemas
from spark_assets.storage.files import make_folder, write_into
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet

# A file of features has half a MB then at most, and a reader takes as long to open it.
_SMALL_ROWS = MAX_IMAGES // 2
_MAX_SMALL_FILES = 64


@dataclass(frozen=True, slots=True, eq=False)
class _Rewrite:
    """Files to be merged into one, without the rows of some paths.

    ``reduced`` are the files of reduced rows of the same names as ``sources``, or none.
    """

    sources: Sequence[TableFile]
    reduced: Sequence[TableFile]
    removed: pa.Array
    n_rows: int
    name: str


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Rewritten files of features, their bytes before, and the rows that were removed."""

    n_files: int = 0
    n_bytes: int = 0
    n_rows: int = 0


def remove_rows(spark: GetSpark, output: Output, change: Change, removed: pa.Table) -> Rewritten:
    """Remove rows, named by ``path`` and ``file``, from all tables of an output.

    The findings, the references of the classifier and the report, which shows the photographs, go
    with them.  Small files are merged where there are many.

    Raises FruitsError where the rows do not add up.
    """
    by_file = paths_by_file(removed)
    reduced = {file.name: file for file in table_files(output, REDUCED)}
    rewrites = [
        rewrite
        # A file of rejected images may have the name of one of features.
        for table, of_table in ((FEATURES, reduced), (REJECTED, {}))
        for rewrite in _rewrites(table_files(output, table), of_table, by_file)
    ]
    named = [
        _Rewrite(*each, f"{change.change_id}-w{number:05d}.parquet")
        for number, each in enumerate(rewrites)
    ]
    n_removed = _write(spark, change, named)
    if n_removed != removed.num_rows:
        raise FruitsError(
            f"{removed.num_rows} rows were to be removed from {output.uri}, and {n_removed} were "
            "found; nothing is changed: run the command again"
        )
    if removed.num_rows:
        paths = removed["path"].combine_chunks()
        remove_findings(output, change, paths)
        remove_references(output, change, paths)
        change.remove([REPORT])
    return _rewritten(by_file, named)


def keep_columns(output: Output, change: Change) -> None:
    """Put a file without rows into an empty table, so that readers find its columns."""
    after = output.after(change)
    has_pca = bool(after.files(PCA_MODEL))
    for table in (FEATURES, REJECTED, *([REDUCED] if has_pca else [])):
        names = set(after.files(table))
        if not names:
            change.put(f"{table}/{EMPTY}", to_parquet(schemas.TABLES[table].empty_table()))
        elif names != {EMPTY}:
            change.remove({f"{table}/{EMPTY}"} & {f"{table}/{name}" for name in names})


def _rewrites(
    files: Sequence[TableFile], reduced: dict[str, TableFile], by_file: dict[str, pa.Array]
) -> Iterator[tuple[Sequence[TableFile], Sequence[TableFile], pa.Array, int]]:
    """Yield the rewrites of one table: sources, their reduced files, removed paths, rows."""
    no_path = pa.array([], pa.string())
    affected = [file for file in files if file.path in by_file]
    for file, n_rows in zip(affected, count_rows(affected), strict=True):
        own = [reduced[file.name]] if file.name in reduced else []
        yield [file], own, by_file[file.path], n_rows
    rest = [file for file in files if file.path not in by_file]
    if len(rest) <= _MAX_SMALL_FILES:
        return
    sized = zip(rest, count_rows(rest), strict=True)
    small = [(file, n_rows) for file, n_rows in sized if n_rows < _SMALL_ROWS]
    if len(small) <= _MAX_SMALL_FILES:
        return
    # Projected images and others stay in different files.
    for is_reduced in (True, False):
        alike = [each for each in small if (each[0].name in reduced) is is_reduced]
        for group in _groups(alike):
            sources = [file for file, _ in group]
            own = [reduced[file.name] for file in sources] if is_reduced else []
            yield sources, own, no_path, sum(n_rows for _, n_rows in group)


def _groups(files: Sequence[tuple[TableFile, int]]) -> Iterator[Sequence[tuple[TableFile, int]]]:
    """Yield neighbours that make a file of full size together; the last may be smaller."""
    group: list[tuple[TableFile, int]] = []
    n_rows = 0
    for file, n_more in files:
        if group and n_rows + n_more > MAX_IMAGES:
            yield group
            group, n_rows = [], 0
        group.append((file, n_more))
        n_rows += n_more
    if len(group) > 1:
        yield group


def _write(spark: GetSpark, change: Change, rewrites: Sequence[_Rewrite]) -> int:
    """Stage the new files and the removal of the old ones; return how many rows are removed."""
    if not rewrites:
        return 0
    for table in (FEATURES, REJECTED, REDUCED):
        make_folder(change.staging.child(table))
    n_rows = sum(each.n_rows for each in rewrites)
    work = partial(_write_share, change.staging)
    written = [path for share in map_shares(spark, work, rewrites, n_rows=n_rows) for path in share]
    change.add(path for path, _ in written)
    change.remove(file.path for each in rewrites for file in (*each.sources, *each.reduced))
    n_kept = sum(n for path, n in written if not path.startswith(f"{REDUCED}/"))
    return n_rows - n_kept


def _write_share(staging: Location, rewrites: Sequence[_Rewrite]) -> list[tuple[str, int]]:
    return [
        (f"{table}/{each.name}", n_rows)
        for each in rewrites
        for sources in (each.sources, each.reduced)
        if sources
        for table in [sources[0].path.partition("/")[0]]
        if (n_rows := _write_one(staging.child(table, each.name), sources, each.removed))
    ]


def _write_one(target: Location, sources: Sequence[TableFile], removed: pa.Array) -> int:
    """Write the rows that stay, unless there are none; return their number."""
    tables = []
    for file in sources:
        with open_parquet(file.location) as parquet:
            tables.append(parquet.read(use_threads=False))
    rows = pa.concat_tables(tables)
    kept = rows.filter(pc.invert(pc.is_in(rows["path"], value_set=removed)))
    if len(sources) > 1:
        kept = kept.sort_by("path")
    if kept.num_rows:
        write_into(target, to_parquet(kept))
    n_rows: int = kept.num_rows
    return n_rows


def _rewritten(by_file: dict[str, pa.Array], rewrites: Sequence[_Rewrite]) -> Rewritten:
    files = [
        file
        for each in rewrites
        for file in each.sources
        if file.path in by_file and file.path.startswith(f"{FEATURES}/")
    ]
    sizes = (file.location.filesystem.get_file_info(file.location.base).size for file in files)
    n_rows = sum(len(by_file[file.path]) for file in files)
    return Rewritten(len(files), sum(size or 0 for size in sizes), n_rows)
