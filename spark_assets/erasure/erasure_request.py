"""Which images to erase, and their rows in the tables of an output.

No Spark: only narrow columns are read, so that an erasure begins on a laptop for any output.
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

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """Images to erase, by path, by prefix of their paths, or by digest."""

    paths: frozenset[str] = frozenset()
    prefixes: tuple[str, ...] = ()
    content_sha256: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Selection:
    """The rows of the requested images in an output.

    Attributes
    ----------
    rows : pa.Table
        Columns ``path``, ``content_sha256`` (null for a rejected image) and ``file``.
    copies : tuple of str
        Other paths with the same content.
    """

    rows: pa.Table
    copies: tuple[str, ...]

    @property
    def paths(self) -> list[str]:
        """Paths of the selected images, sorted."""
        return sorted(self.rows["path"].to_pylist())

    @property
    def content_sha256(self) -> frozenset[str]:
        return frozenset(self.rows["content_sha256"].drop_null().to_pylist())

    def n_rows(self, table: str) -> int:
        """Return the number of rows in a table."""
        is_in = pc.starts_with(self.rows["file"].cast(pa.string()), f"{table}/")
        return pc.sum(is_in).as_py() or 0


def parse_request(
    paths: Sequence[str], path_list: str | None, prefixes: Sequence[str], sha256: Sequence[str]
) -> ErasureRequest:
    """Return the request of a command line.  Raises FruitsError for a value that names no image."""
    all_paths = [*paths, *(_read_path_list(path_list) if path_list is not None else ())]
    for path in all_paths:
        _check_relative(path, "--path")
    for prefix in prefixes:
        if not prefix:
            raise FruitsError(
                "an empty --prefix names every image; to erase all of them, delete the photographs "
                "and start afresh with --overwrite"
            )
        _check_relative(prefix, "--prefix")
    for digest in sha256:
        if not _SHA256.fullmatch(digest.lower()):
            raise FruitsError(f"{digest!r} is no SHA-256; give its 64 hexadecimal digits")
    digests = frozenset(each.lower() for each in sha256)
    return ErasureRequest(frozenset(all_paths), tuple(prefixes), digests)


def select(output: Output, request: ErasureRequest, *, with_copies: bool) -> Selection:
    """Return the rows of the requested images; ``with_copies`` selects their copies too."""
    columns = ("path", "content_sha256")
    features = read_narrow(table_files(output, FEATURES), schemas.FEATURES, columns)
    rejected = read_narrow(table_files(output, REJECTED), schemas.REJECTED, columns[:1])
    rows = pa.concat_tables([features, rejected], promote_options="permissive")
    none = pa.chunked_array([pa.repeat(False, rows.num_rows)])
    is_chosen = reduce(pc.or_, _conditions(rows, request), none)
    digests = rows.filter(is_chosen)["content_sha256"].drop_null().unique()
    is_copy = pc.and_not(pc.is_in(rows["content_sha256"], value_set=digests), is_chosen)
    if with_copies:
        return Selection(rows.filter(pc.or_(is_chosen, is_copy)), ())
    return Selection(
        rows.filter(is_chosen), tuple(sorted(rows.filter(is_copy)["path"].to_pylist()))
    )


def _conditions(rows: pa.Table, request: ErasureRequest) -> Iterator[pa.ChunkedArray]:
    for column, values in (("path", request.paths), ("content_sha256", request.content_sha256)):
        yield pc.is_in(rows[column], value_set=pa.array(sorted(values), pa.string()))
    for prefix in request.prefixes:
        yield pc.starts_with(rows["path"], prefix)


def _read_path_list(uri: str) -> list[str]:
    content = read_bytes(parse_location(uri))
    if content is None:
        raise FruitsError(f"the path list {uri} does not exist; give a file with a path a line")
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError as error:
        raise FruitsError(f"the path list {uri} is not UTF-8; give a text file in UTF-8") from error
    return [path for line in lines if (path := line.removesuffix("\r"))]


def _check_relative(path: str, option: str) -> None:
    """Raise FruitsError for a path that leaves the images; a key in S3 may begin with ``/``."""
    if not path or ".." in path.split("/") or "://" in path:
        raise FruitsError(
            f"{option} {path!r} does not name an image; give its path relative to the images, as "
            "the tables and the report show it"
        )
