"""What an erasure is asked for, found in the tables of an output.

The narrow columns answer it, without Spark: an erasure begins on the machine of whoever was asked
for it, however large the output.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.errors import FruitsError
from spark_assets.output.output import FEATURES, REJECTED, Output
from spark_assets.output.parquet_tables import read_narrow, table_files
from spark_assets.storage import schemas
from spark_assets.storage.files import read_bytes
from spark_assets.storage.locations import parse_location


@dataclass(frozen=True, slots=True)
class ErasureRequest:
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


def select(output: Output, asked: ErasureRequest, *, with_copies: bool) -> Selection:
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


def _is_any(held: pa.Table, asked: ErasureRequest) -> pa.ChunkedArray:
    none = pc.and_not(pc.is_valid(held["path"]), pc.is_valid(held["path"]))
    return reduce(pc.or_, _conditions(held, asked), none)


def _conditions(held: pa.Table, asked: ErasureRequest) -> Iterator[pa.ChunkedArray]:
    if asked.paths:
        yield _is_in(held["path"], pa.array(sorted(asked.paths), pa.string()))
    for prefix in asked.prefixes:
        yield pc.starts_with(held["path"], prefix)
    if asked.content_sha256:
        yield _is_in(held["content_sha256"], pa.array(sorted(asked.content_sha256), pa.string()))


def _is_in(column: pa.ChunkedArray, values: pa.Array) -> pa.ChunkedArray:
    """Return which values are among some, none of which is null."""
    return pc.is_in(column, value_set=values)


_SHA256 = re.compile(r"[0-9a-f]{64}")


def asked_for(
    paths: Sequence[str], path_list: str | None, prefixes: Sequence[str], sha256: Sequence[str]
) -> ErasureRequest:
    """Return what is named.  Raises FruitsError for what cannot name an image."""
    named = [*paths, *(_listed(path_list) if path_list is not None else ())]
    for path in named:
        _check_below(path, "--path")
    for prefix in prefixes:
        if not prefix:
            raise FruitsError(
                "an empty --prefix names every image; to erase all of them, delete the photographs "
                "and start afresh with --overwrite"
            )
        _check_below(prefix, "--prefix")
    for digest in sha256:
        if not _SHA256.fullmatch(digest.lower()):
            raise FruitsError(f"{digest!r} is no SHA-256; give its 64 hexadecimal digits")
    return ErasureRequest(
        frozenset(named), tuple(prefixes), frozenset(each.lower() for each in sha256)
    )


def _listed(uri: str) -> list[str]:
    content = read_bytes(parse_location(uri))
    if content is None:
        raise FruitsError(f"the path list {uri} does not exist; give a file with a path a line")
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise FruitsError(f"the path list {uri} is not UTF-8; give a text file in UTF-8") from error
    return [path for line in lines if (path := line.removesuffix("\r"))]


def _check_below(path: str, option: str) -> None:
    """Refuse what does not stay below the images; a key in S3 may begin with ``/``."""
    if not path or ".." in path.split("/") or "://" in path:
        raise FruitsError(
            f"{option} {path!r} does not name an image; give its path relative to the images, as "
            "the tables and the report show it"
        )
