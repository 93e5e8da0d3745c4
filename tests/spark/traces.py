"""A search through the bytes of everything that is left, for what an erasure was to remove."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet


@dataclass(frozen=True, slots=True)
class Needles:
    """What must be nowhere: texts (paths, digests, thumbnails) and rows of features."""

    texts: tuple[str, ...]
    features: tuple[np.ndarray, ...] = ()


def thumbnails_of(page: str) -> dict[str, str]:
    """Return the thumbnails that a report shows, by path."""
    found = re.findall(r'\{"label": [^{}]*?"path": "([^"]*)", "thumbnail": "([^"]*)"\}', page)
    return {json.loads(f'"{path}"'): thumbnail for path, thumbnail in found}


def local_files(*folders: Path) -> dict[str, bytes]:
    """Return every file below some folders, hidden ones too."""
    files = (file for folder in folders for file in folder.rglob("*") if file.is_file())
    return {str(file): file.read_bytes() for file in files}


def traces(files: Mapping[str, bytes], needles: Needles) -> list[str]:
    """Return where a needle is: in the name of a file, in its bytes, or in what it encodes."""
    return [
        f"{name}: {found}"
        for name, content in files.items()
        for found in _traces(name, content, needles)
    ]


def _traces(name: str, content: bytes, needles: Needles) -> Iterator[str]:
    yield from _texts_in([name], needles.texts)
    for text in needles.texts:
        for form in {text, json.dumps(text)[1:-1]}:
            if form.encode() in content:
                yield f"the bytes of {text[:40]}"
    for row in needles.features:
        if row.tobytes() in content:
            yield "the bytes of a row of features"
    if content[:4] == b"PAR1":
        yield from _in_parquet(content, needles)


def _in_parquet(content: bytes, needles: Needles) -> Iterator[str]:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    # Statistics stand in the footer, and hold the first and the last path of a file.
    yield from _texts_in([str(file.metadata.to_dict())], needles.texts)
    table = file.read()
    for field in table.schema:
        column = table.column(field.name)
        if str(field.type) == "string":
            yield from _texts_in(filter(None, column.to_pylist()), needles.texts)
        elif field.name == "features":
            rows = [np.array(row, np.float32) for row in column.to_pylist() if row is not None]
            for needle in needles.features:
                if any(np.array_equal(row, needle) for row in rows):
                    yield "a row of features"


def _texts_in(haystack: Iterable[str], texts: Iterable[str]) -> Iterator[str]:
    held = list(haystack)
    for text in texts:
        if any(text in each for each in held):
            yield text[:60]
