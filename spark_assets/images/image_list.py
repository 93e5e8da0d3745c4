"""A list of images instead of a listing: text, CSV or Parquet, such as S3 Inventory writes."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain
from typing import Any
from urllib.parse import unquote_plus

import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet

from spark_assets.errors import FruitsError
from spark_assets.images.ignored_names import is_image_name
from spark_assets.images.listing import (
    ImageEntry,
    entries_in,
    local_entry,
    table_of,
    to_datetime,
)
from spark_assets.storage.files import readable_name
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.s3_answers import code_in, sentence_of_code

# In S3 the size of an object takes 20 ms, nearly all of it waiting.
_N_THREADS = 32
_ENTRIES_PER_THREAD = 100
_PATH_COLUMNS = ("path", "key")
# The schemes of `parse_location`.  Any other name with a colon is that of a file.
_URI = re.compile(r"(?i:s3a?://|file:(?://(?:localhost)?)?(?=/))")


def list_from_file(uri: str, images: Location) -> pyarrow.Table:
    """Return the images that a list names as `schemas.LISTED`, each once, ordered by path.

    Sizes that the list does not hold are read from storage.  Raises as `read_image_list`.
    """
    named = table_of({entry.path: entry for entry in read_image_list(uri, images)}.values())
    has_size = pc.is_valid(named["size_bytes"])
    without_size = named.filter(pc.invert(has_size))
    starts = range(0, without_size.num_rows, _ENTRIES_PER_THREAD)
    parts = (without_size.slice(start, _ENTRIES_PER_THREAD) for start in starts)
    with ThreadPoolExecutor(_N_THREADS) as pool:
        found = pool.map(lambda part: _with_sizes(images, [*entries_in(part)]), parts)
        sized = table_of(chain.from_iterable(found))
    return pyarrow.concat_tables([named.filter(has_size), sized]).sort_by("path")


def _with_sizes(images: Location, entries: list[ImageEntry]) -> list[ImageEntry]:
    if images.s3 is None:
        return [local_entry(entry.path, f"{images.base}/{entry.path}") for entry in entries]
    infos = images.filesystem.get_file_info([f"{images.base}/{each.path}" for each in entries])
    return [
        ImageEntry(
            entry.path, info.size, None if info.mtime_ns is None else to_datetime(info.mtime_ns)
        )
        for entry, info in zip(entries, infos, strict=True)
    ]


def read_image_list(uri: str, images: Location) -> Iterator[ImageEntry]:
    """Yield the images that a list names, in its order.

    The suffix gives the format: ``.parquet``; ``.csv`` or ``.csv.gz``; anything else is text with
    one path per line.  Parquet and CSV with a header have a column ``path`` or ``key`` and may
    have ``size`` and ``last_modified_date``.  CSV without a header has the bucket first and the
    URL-encoded key second.  A path is relative to the images or a full URI below them; a key is
    one of the images' bucket.

    Raises FruitsError where the list cannot be read or names something outside the images.
    """
    location = parse_location(uri)
    if location.s3 is not None and location.bucket == images.bucket:
        location = Location(location.base, images.s3)  # of a public bucket, the list is public too
    name = location.base.lower()
    try:
        with location.filesystem.open_input_file(location.base) as source:
            if name.endswith(".parquet"):
                rows = _parquet_rows(source)
            else:
                stream = (
                    pyarrow.CompressedInputStream(source, "gzip")
                    if name.endswith(".gz")
                    else source
                )
                # "surrogateescape" keeps what is not UTF-8: the row is then rejected, not lost.
                text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="")
                rows = _csv_rows(text) if ".csv" in name else _text_rows(text)
            for row in filter(_is_current, rows):
                entry = _entry(row, images)
                if is_image_name(entry.path, size_bytes=entry.size_bytes):
                    yield entry
    except (OSError, pyarrow.ArrowInvalid, csv.Error) as error:
        if (code := code_in(str(error))) is not None:
            raise FruitsError(
                f"the image list {uri} cannot be read: {sentence_of_code(code)}"
            ) from error
        raise FruitsError(
            f"the image list {uri} cannot be read ({type(error).__name__}); "
            "give a text, CSV or Parquet file that exists"
        ) from error


def _parquet_rows(source: pyarrow.NativeFile) -> Iterator[dict[str, Any]]:
    parquet = pyarrow.parquet.ParquetFile(source)
    _check_columns(parquet.schema_arrow.names)
    for batch in parquet.iter_batches():
        for row in batch.to_pylist():
            yield {name.lower(): value for name, value in row.items()}


def _csv_rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    rows = csv.reader(lines)
    first = next(rows, None)
    if first is None:
        return
    header = [name.strip().lower() for name in first]
    if set(header) & set(_PATH_COLUMNS):
        yield from (dict(zip(header, row, strict=False)) for row in rows)
        return
    if len(first) == 1:
        _check_columns(first)
    for row in chain([first], rows):
        if len(row) > 1:
            yield {"bucket": row[0], "key": unquote_plus(row[1])}


def _text_rows(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        path = line.rstrip("\r\n")
        if path:
            yield {"path": path}


def _check_columns(names: list[str]) -> None:
    if not {name.lower() for name in names} & set(_PATH_COLUMNS):
        raise FruitsError(
            f"the image list has the columns {', '.join(names)}; "
            "it needs one named path or key, or bucket and key without a header"
        )


def _is_current(row: dict[str, Any]) -> bool:
    """Return whether a row of an inventory of versions is the newest and no delete marker."""
    is_latest, is_deleted = row.get("is_latest"), row.get("is_delete_marker")
    return str(is_latest).lower() != "false" and str(is_deleted).lower() != "true"


def _entry(row: dict[str, Any], images: Location) -> ImageEntry:
    path = row["path"] if row.get("path") else _path_of_key(row, images)
    path = readable_name(_relative(str(path), images))
    # Size and date count only together: they are what tells a changed image from a known one.
    size, modified_at = row.get("size"), row.get("last_modified_date")
    if size in (None, "") or modified_at in (None, ""):
        return ImageEntry(path, None, None)
    if not isinstance(modified_at, datetime):
        modified_at = datetime.fromisoformat(str(modified_at))
    return ImageEntry(path, int(str(size)), modified_at.astimezone(UTC))


def _path_of_key(row: dict[str, Any], images: Location) -> str:
    bucket, key = row.get("bucket"), str(row["key"])
    if images.s3 is None:
        return key
    if bucket and bucket != images.bucket:
        raise _outside(f"s3://{bucket}/{key}", images)
    return f"s3://{images.bucket}/{key}"


def _relative(path: str, images: Location) -> str:
    root = f"{images.base}/"
    if (scheme := _URI.match(path)) is not None:
        full = path[scheme.end() :]
        if not full.startswith(root):
            raise _outside(path, images)
        return full.removeprefix(root)
    if images.s3 is None and path.startswith("/"):
        if not path.startswith(root):
            raise _outside(path, images)
        path = path.removeprefix(root)
    if ".." in path.split("/"):
        raise _outside(path, images)
    return path


def _outside(path: str, images: Location) -> FruitsError:
    return FruitsError(
        f"the image list names {path}, which is not below {images.uri}; "
        "give --images a folder that holds all of them"
    )
