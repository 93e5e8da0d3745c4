"""The sample images: drawn fruit in folders by label, as varied as what cameras and people leave.

Sizes run from 100 px to 12 megapixels; formats are JPEG (some stored turned, with an EXIF
orientation), PNG (some with alpha, one palette, one grey) and WebP; names have odd endings and
characters. `BROKEN_IMAGES` more are spoilt on purpose, and a run rejects each for its reason.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sample_photographs.sample_files import (
    BROKEN_IMAGES,
    LABELS,
    encode_broken,
    encode_shot,
    plan_shots,
)

__all__ = ["BROKEN_IMAGES", "LABELS", "MARKER_NAME", "SampleSet", "SamplesError", "draw_samples"]

MARKER_NAME = ".fruits-samples.json"


class SamplesError(Exception):
    """The samples cannot be written; the message is the reason and what to do."""


@dataclass(frozen=True, slots=True)
class SampleSet:
    """A finished set: `n_images` counts the `n_broken` too, as a run's counts do."""

    n_images: int
    n_broken: int
    labels: tuple[str, ...]


def draw_samples(output: Path, *, images_per_label: int = 24, seed: int = 0) -> SampleSet:
    """Draw the sample images into the folder `output`, one image in memory at a time.

    The same arguments give the same bytes (with the same versions of numpy and Pillow). A set that
    is already there and complete is left alone; one that was interrupted is drawn again.

    Raises
    ------
    SamplesError
        An argument is out of range, `output` holds anything else, or it cannot be written.
    """
    if images_per_label < 1:
        raise SamplesError(
            f"images_per_label is {images_per_label}, but each label needs at least 1 image; "
            "give a larger number"
        )
    if seed < 0:
        raise SamplesError(f"seed is {seed}, but must be 0 or more; give another number")
    shots = list(plan_shots(images_per_label))
    paths = {shot.path for shot in shots} | {broken.path for broken in BROKEN_IMAGES}
    result = SampleSet(len(paths), len(BROKEN_IMAGES), LABELS)
    request = {"seed": seed, "images_per_label": images_per_label}
    try:
        if _is_finished(output, request, paths):
            return result
        output.mkdir(parents=True, exist_ok=True)
        # The first marker claims the folder, the last one marks it complete.
        _write_marker(output, request)
        sizes = {shot.path: _write(output, shot.path, encode_shot(shot, seed)) for shot in shots}
        for broken in BROKEN_IMAGES:
            sizes[broken.path] = _write(output, broken.path, encode_broken(broken, seed))
        _write_marker(output, {**request, "size_bytes": sizes})
    except OSError as error:
        raise SamplesError(
            f"cannot write the sample images to {output} ({error.strerror or error}); "
            "choose a folder that can be written and has room"
        ) from error
    return result


def _is_finished(output: Path, request: dict[str, int], paths: set[str]) -> bool:
    """Return whether the set is complete; raise SamplesError where other files are there."""
    if not output.exists():
        return False
    if not output.is_dir():
        raise SamplesError(
            f"{output} is a file, but the sample images need a folder; give another name"
        )
    if not any(output.iterdir()):
        return False
    if marker := _read_marker(output):
        sizes = marker.pop("size_bytes", None)
        found = {file.relative_to(output).as_posix(): file for file in _files(output)}
        if marker == request and sizes is None and found.keys() <= paths:
            return False
        on_disk = {path: file.stat().st_size for path, file in found.items()}
        if marker == request and sizes == on_disk and found.keys() == paths:
            return True
    requested = ", ".join(f"{name} {value}" for name, value in request.items())
    raise SamplesError(
        f"{output} is not empty and differs from the sample images of this request "
        f"({requested}); give a new or an empty folder, or delete this one"
    )


def _files(output: Path) -> Iterator[Path]:
    """Yield every file but the hidden ones: a desktop leaves those where it shows a folder."""
    for folder, _, names in os.walk(output):
        yield from (Path(folder, name) for name in names if not name.startswith("."))


def _read_marker(output: Path) -> dict[str, Any]:
    """Return the content of the marker, empty where none can be read."""
    try:
        marker = json.loads((output / MARKER_NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return marker if isinstance(marker, dict) else {}


def _write_marker(output: Path, content: dict[str, Any]) -> None:
    unfinished = output / f"{MARKER_NAME}.part"
    text = json.dumps(content, ensure_ascii=False, indent=1)
    unfinished.write_text(text, encoding="utf-8")
    # A marker is there as a whole or not at all.
    unfinished.replace(output / MARKER_NAME)


def _write(output: Path, path: str, content: bytes) -> int:
    file = output / path
    file.parent.mkdir(exist_ok=True)
    return file.write_bytes(content)
