"""A search through the bytes of everything that is left, for what was to leave it."""

import base64
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pyarrow.types as kinds

from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import thumbnail_jpeg


@dataclass(frozen=True, slots=True)
class Needles:
    """What must be nowhere: texts (paths, digests), vectors as they are kept, small pictures."""

    texts: tuple[str, ...] = ()
    vectors: tuple[np.ndarray, ...] = ()
    pictures: tuple[bytes, ...] = ()


def needles_of(output: Path, images: Path, *paths: str, named: bool = True) -> Needles:
    """Return all that an output may hold of some photographs: with features, or rejected ones.

    Not ``named``: of what is in them alone.
    """
    contents = {path: (images / path).read_bytes() for path in paths}
    digests = [hashlib.sha256(content).hexdigest() for content in contents.values()]
    held = pyarrow.parquet.read_table(output / "features", columns=["path", "features"])
    features = {
        row["path"]: np.array(row["features"], np.float32)
        for row in held.to_pylist()
        if row["path"] in contents
    }
    # As a classifier has them: roots of unit length.
    roots = [np.sqrt(row) for row in features.values()]
    vectors = [(row / np.linalg.norm(row)).astype(np.float16) for row in roots]
    return Needles(
        (*(paths if named else ()), *digests),
        (*features.values(), *vectors),
        tuple(thumbnail_jpeg(contents[path], ImageLimits()) for path in features),
    )


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
    for vector in needles.vectors:
        if vector.tobytes() in content:
            yield "the bytes of a vector"
    for picture in needles.pictures:
        if picture in content or base64.b64encode(picture) in content:
            yield "a small picture"
    if content[:4] == b"PAR1":
        yield from _in_parquet(content, needles)


def _in_parquet(content: bytes, needles: Needles) -> Iterator[str]:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    # Statistics stand in the footer, and hold the first and the last path of a file.
    yield from _texts_in([str(file.metadata.to_dict())], needles.texts)
    for column in file.read().columns:
        values = column
        while kinds.is_list(values.type) or kinds.is_fixed_size_list(values.type):
            values = pa.chunked_array([chunk.flatten() for chunk in values.chunks])
        if kinds.is_string(values.type):
            yield from _texts_in(filter(None, values.to_pylist()), needles.texts)
        elif kinds.is_binary(values.type):
            held = set(values.to_pylist())
            yield from ("a small picture" for picture in needles.pictures if picture in held)
        elif kinds.is_floating(values.type):
            numbers = values.to_numpy()
            yield from ("a vector" for vector in needles.vectors if _is_row_of(vector, numbers))


def _is_row_of(vector: np.ndarray, numbers: np.ndarray) -> bool:
    if vector.dtype != numbers.dtype or len(numbers) % len(vector):
        return False
    return bool((numbers.reshape(-1, len(vector)) == vector).all(axis=1).any())


def _texts_in(haystack: Iterable[str], texts: Iterable[str]) -> Iterator[str]:
    held = list(haystack)
    for text in texts:
        if any(text in each for each in held):
            yield text[:60]
