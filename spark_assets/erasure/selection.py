"""What an erasure is asked for, found in the tables of an output.

The narrow columns answer it, without Spark: an erasure begins on the machine of whoever was asked
for it, however large the output.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.output.output import FEATURES, REJECTED, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.storage import schemas


@dataclass(frozen=True, slots=True)
class Asked:
    """Which images to erase: by path, by the beginning of their paths, or by digest."""

    paths: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    content_sha256: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selection:
    """What an output holds of the images that are asked for.

    ``rows`` have ``path``, ``content_sha256`` (null for a rejected image) and ``file``; ``copies``
    are other paths with the content of one that is selected.
    """

    rows: pa.Table
    copies: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """Paths of the selected images, in order."""
        return sorted(self.rows["path"].to_pylist())

    @property
    def content_sha256(self) -> frozenset[str]:
        """Digests of the selected images."""
        return frozenset(self.rows["content_sha256"].drop_null().to_pylist())

    def n_rows(self, table: str) -> int:
        """Return how many rows are in a table."""
        is_in = pc.starts_with(self.rows["file"].cast(pa.string()), f"{table}/")
        return pc.sum(is_in).as_py() or 0


def select(output: Output, asked: Asked, *, with_copies: bool) -> Selection:
    """Find every row of the images that are asked for; ``with_copies`` selects their copies too."""
    columns = ("path", "content_sha256")
    features = read_narrow(table_files(output, FEATURES), schemas.FEATURES, columns)
    rejected = read_narrow(table_files(output, REJECTED), schemas.REJECTED, columns[:1])
    held = pa.concat_tables([features, rejected], promote_options="permissive")
    is_chosen = _is_any(held, asked)
    digests = held.filter(is_chosen)["content_sha256"].drop_null().unique()
    is_copy = pc.and_not(_is_in(held["content_sha256"], digests), is_chosen)
    if with_copies:
        return Selection(held.filter(pc.or_(is_chosen, is_copy)), ())
    return Selection(
        held.filter(is_chosen), tuple(sorted(held.filter(is_copy)["path"].to_pylist()))
    )


def _is_any(held: pa.Table, asked: Asked) -> pa.ChunkedArray:
    none = pc.and_not(pc.is_valid(held["path"]), pc.is_valid(held["path"]))
    return reduce(pc.or_, _conditions(held, asked), none)


def _conditions(held: pa.Table, asked: Asked) -> Iterator[pa.ChunkedArray]:
    if asked.paths:
        yield _is_in(held["path"], pa.array(sorted(asked.paths), pa.string()))
    for prefix in asked.prefixes:
        yield pc.starts_with(held["path"], prefix)
    if asked.content_sha256:
        yield _is_in(held["content_sha256"], pa.array(sorted(asked.content_sha256), pa.string()))


def _is_in(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Return which values are among some, none of which is null."""
    return pc.is_in(column, value_set=values)
