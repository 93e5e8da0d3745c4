"""The first step of an erasure: find the images, add them to the denylist, write the journal.

No Spark: only the narrow columns of the tables are read.
"""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from spark_assets.erasure.erasure_request import ErasureRequest, Selection, select
from spark_assets.errors import FruitsError
from spark_assets.images.listing import check_images_exist
from spark_assets.output.erasure_denylist import read_denylist, write_denylist
from spark_assets.output.erasure_journal import PendingErasure, write_journal
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest, latest_run, next_id
from spark_assets.output.output import FEATURES, REJECTED, Output
from spark_assets.output.parquet_tables import table_files
from spark_assets.removal.remove_files import count_versions, paths_under
from spark_assets.storage.locations import Location, parse_location

_N_READERS = 8
_BLOCK_BYTES = 1024 * 1024


class NothingFoundError(FruitsError):
    """Neither the output nor a source holds a requested image."""


@dataclass(frozen=True, slots=True)
class PlannedErasure:
    """An erasure and its extent.

    Attributes
    ----------
    copies : tuple of str
        Images of the same content that would remain.
    n_files, n_bytes, n_bytes_of_all : int
        Files of features to rewrite, their size, and the size of all files of features.
    n_unread : int
        Unreadable photographs, whose content cannot be put on the denylist.
    not_found : tuple of str
        Requested paths, prefixes and digests without an image.
    """

    erasure: PendingErasure
    copies: tuple[str, ...]
    n_files: int
    n_bytes: int
    n_bytes_of_all: int
    n_unread: int
    not_found: tuple[str, ...]


def plan_erasure(
    output: Output, sources: Sequence[Location], request: ErasureRequest, *, with_copies: bool
) -> PlannedErasure:
    """Find the requested images in an output, in its source and in the other ``sources``.

    Raises NothingFoundError where there are none, FruitsError where the output holds no run or a
    source cannot be listed.
    """
    latest = latest_run(output)
    if latest is None:
        raise FruitsError(
            f"there is no finished run in {output.uri}, so there is nothing to erase in it"
        )
    every_source = _sources(latest, sources)
    for source in every_source:  # an unreadable source may hold photographs
        check_images_exist(source)
    selection = select(output, request, with_copies=with_copies)
    paths = {*selection.paths, *_in_sources(every_source, request)}
    if not paths:
        raise NothingFoundError(
            f"neither {output.uri} nor {' nor '.join(s.uri for s in every_source)} holds "
            "a requested image, so nothing was erased; check the spelling: paths are relative to "
            "the images and byte-exact"
        )
    in_sources, n_unread = _digests(every_source, paths)
    found_digests = in_sources | selection.content_sha256
    erasure = PendingErasure(
        erasure_id=next_id((), datetime.now(UTC)),
        began_at=datetime.now(UTC).isoformat(timespec="seconds"),
        sources=[source.uri for source in every_source],
        paths=sorted(paths),
        content_sha256=sorted(found_digests | request.content_sha256),
        held=_held(selection, every_source, paths),
    )
    copies = tuple(path for path in selection.copies if path not in paths)
    return PlannedErasure(
        erasure,
        copies,
        *_sizes(output, selection),
        n_unread,
        tuple(_not_found(request, paths, found_digests)),
    )


def begin(output: Output, planned: PlannedErasure) -> None:
    """Add the images to the denylist, then write the journal."""
    erasure = planned.erasure
    check_lease(output.location)
    write_denylist(output, read_denylist(output).with_digests(erasure.content_sha256))
    write_journal(output, erasure)


def _not_found(
    request: ErasureRequest, paths: Collection[str], content_sha256: Collection[str]
) -> Iterator[str]:
    yield from sorted(request.paths.difference(paths))
    yield from (p for p in request.prefixes if not any(path.startswith(p) for path in paths))
    yield from sorted(request.content_sha256.difference(content_sha256))


def _sources(latest: RunManifest, given: Sequence[Location]) -> list[Location]:
    """Return the source of the output and the given ones."""
    own = parse_location(latest.images_uri)
    return [own, *(source for source in given if source != own)]


def _in_sources(sources: Sequence[Location], request: ErasureRequest) -> Iterator[str]:
    """Yield the requested paths that a source holds, whether a run has seen them or not."""
    for source in sources:
        for prefix in request.prefixes:
            yield from paths_under(source, prefix)
        for path in request.paths:
            if count_versions(source, path):
                yield path


def _digests(sources: Sequence[Location], paths: Iterable[str]) -> tuple[set[str], int]:
    """Return the digests of photographs, and the number of unreadable ones."""
    digests, n_unread = set(), 0
    files = [source.child(path) for source in sources for path in paths]
    with ThreadPoolExecutor(_N_READERS) as pool:
        for digest in [pool.submit(_digest, file) for file in files]:
            try:
                digests.add(digest.result())
            except FileNotFoundError:  # it is in another source, or only as old versions
                continue
            except (OSError, ValueError):
                n_unread += 1
    return digests, n_unread


def _digest(file: Location) -> str:
    """Return the digest of a file.  Throws OSError, and ValueError for an impossible name."""
    digest = hashlib.sha256()
    with file.filesystem.open_input_stream(file.base) as stream:
        while block := stream.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _held(
    selection: Selection, sources: Sequence[Location], paths: Iterable[str]
) -> dict[str, int]:
    n_photographs = sum(count_versions(source, path) for path in paths for source in sources)
    return {
        "versions of photographs": n_photographs,
        "rows of features": selection.n_rows(FEATURES),
        "rows of rejected images": selection.n_rows(REJECTED),
    }


def _sizes(output: Output, selection: Selection) -> tuple[int, int, int]:
    """Return number and size of the files of features to rewrite, and the size of all."""
    files = {file.path: file.location for file in table_files(output, FEATURES)}
    infos = output.location.filesystem.get_file_info([each.base for each in files.values()])
    sizes = dict(zip(files, (info.size or 0 for info in infos), strict=True))
    affected = files.keys() & set(selection.rows["file"].to_pylist())
    return len(affected), sum(sizes[path] for path in affected), sum(sizes.values())
