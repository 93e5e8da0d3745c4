"""What a command line names, checked: paths, prefixes and digests of the images to erase."""

import re
from collections.abc import Sequence

from spark_assets.erasure.selection import Asked
from spark_assets.errors import FruitsError
from spark_assets.storage.files import read_bytes
from spark_assets.storage.locations import parse_location

_SHA256 = re.compile(r"[0-9a-f]{64}")


def asked_for(
    paths: Sequence[str], path_list: str | None, prefixes: Sequence[str], sha256: Sequence[str]
) -> Asked:
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
    return Asked(frozenset(named), tuple(prefixes), frozenset(each.lower() for each in sha256))


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
