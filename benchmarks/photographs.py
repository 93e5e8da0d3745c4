"""Photographs to measure with: drawn from a seed, so that nothing has to be downloaded.

They cost what real ones cost to decode: fruits on white of 100 x 100 pixels at about 5 KB, with
the quality and the chroma subsampling of Fruits-360, and 12-megapixel ones at about 3 MB.
"""

import io
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SEED = 20260101
SMALL_SIZE_PX = 100
LARGE_SIZE_PX = (4032, 3024)
N_LABELS = 20
# Drawing costs more than encoding, so each drawing serves many photographs: cut elsewhere,
# mirrored and lit differently, no two files hold the same bytes.
_N_DRAWINGS = 200
_MARGIN_PX = 16
_N_LARGE_DRAWINGS = 8
_SMALL_QUALITY = 95
_LARGE_QUALITY = 88
_SUBSAMPLING = "4:2:0"

Canvas = NDArray[np.float32]


def small_photographs(folder: Path, n_images: int) -> Path:
    """Return a folder of ``n_images`` JPEGs of 100 x 100 pixels in label folders."""
    return made_once(folder / f"small-{n_images}", lambda made: _make_small(made, n_images))


def large_photographs(folder: Path, n_images: int) -> Path:
    """Return a folder of ``n_images`` JPEGs of 4032 x 3024 pixels in label folders."""
    return made_once(folder / f"large-{n_images}", lambda made: _make_large(made, n_images))


def listed_tree(folder: Path, n_files: int, *, n_folders: int = 200) -> Path:
    """Return a tree of ``n_files`` names for listing: each a photograph, 100 x 100 pixels.

    The files of one folder are links to one photograph: the names are what listing costs.
    """
    return made_once(
        folder / f"tree-{n_files}", lambda made: _make_tree(made, n_files, min(n_folders, n_files))
    )


def made_once(folder: Path, make: Callable[[Path], None]) -> Path:
    """Make a folder unless an earlier run did; one that was cut short does not count."""
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        make(unfinished)
        unfinished.rename(folder)
    return folder


def _make_small(folder: Path, n_images: int) -> None:
    rng = np.random.default_rng(SEED)
    drawings = [
        draw_fruit(rng, SMALL_SIZE_PX + _MARGIN_PX) for _ in range(min(_N_DRAWINGS, n_images))
    ]
    for index in range(n_images):
        drawing = drawings[index % len(drawings)]
        top, left = rng.integers(0, _MARGIN_PX, size=2)
        cut = drawing[top : top + SMALL_SIZE_PX, left : left + SMALL_SIZE_PX]
        if rng.random() < 0.5:
            cut = cut[:, ::-1]
        # Less or more of the fruit's colour; white stays white.
        lit = 255 - (255 - cut) * rng.uniform(0.8, 1.0)
        content = _encode(lit, quality=_SMALL_QUALITY)
        _photograph_path(folder, index).write_bytes(_with_comment(content, f"photograph {index}"))


def _make_large(folder: Path, n_images: int) -> None:
    rng = np.random.default_rng(SEED)
    contents = [
        _encode(draw_orchard(rng, LARGE_SIZE_PX), quality=_LARGE_QUALITY)
        for _ in range(min(_N_LARGE_DRAWINGS, n_images))
    ]
    for index in range(n_images):
        content = _with_comment(contents[index % len(contents)], f"photograph {index}")
        _photograph_path(folder, index).write_bytes(content)


def _make_tree(folder: Path, n_files: int, n_folders: int) -> None:
    drawing = draw_fruit(np.random.default_rng(SEED), SMALL_SIZE_PX)
    content = _encode(drawing, quality=_SMALL_QUALITY)
    for index in range(n_folders):
        label = folder / f"label_{index:03d}"
        label.mkdir()
        first = label / "photograph_000000.jpg"
        first.write_bytes(_with_comment(content, f"folder {index}"))
        # One inode a folder: file systems allow a limited number of links to each.
        for file in range(1, len(range(index, n_files, n_folders))):
            os.link(first, label / f"photograph_{file:06d}.jpg")


def _photograph_path(folder: Path, index: int) -> Path:
    label = folder / f"label_{index % N_LABELS:02d}"
    label.mkdir(exist_ok=True)
    return label / f"photograph_{index:06d}.jpg"


def draw_fruit(rng: np.random.Generator, size_px: int) -> Canvas:
    """Draw one fruit on white: (size_px, size_px, 3) float32, 0 to 255."""
    y, x = np.mgrid[-1 : 1 : size_px * 1j, -1 : 1 : size_px * 1j].astype(np.float32)
    angle = rng.uniform(0, np.pi)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    radius = np.hypot(along / rng.uniform(0.7, 0.85), across / rng.uniform(0.5, 0.85))
    wobble = 0.06 * np.sin(rng.integers(2, 6) * np.arctan2(across, along) + rng.uniform(0, 6))
    inside = np.clip((1 + wobble - radius) * size_px / 3, 0, 1)

    light = np.clip(0.45 + 0.55 * np.sqrt(np.clip(1 - radius**2, 0, 1)) - 0.25 * (x + y), 0.15, 1)
    skin = _texture(rng, (size_px, size_px), octaves=(4, 8, 16, 32, 64, 96), roughness=1.0)
    color = rng.uniform((110, 50, 20), (250, 220, 110)).astype(np.float32)
    blush = rng.uniform((90, 20, 20), (240, 120, 60)).astype(np.float32)
    patches = np.clip(0.5 + 1.5 * _texture(rng, (size_px, size_px), octaves=(2, 4)), 0, 1)
    fruit = (color + (blush - color) * patches[..., None]) * (light + 0.35 * skin)[..., None]
    fruit += 120 * np.exp(-((x + 0.3) ** 2 + (y + 0.35) ** 2) / 0.02)[..., None]
    canvas: Canvas = 255 + (np.clip(fruit, 0, 255) - 255) * inside[..., None]
    return canvas.astype(np.float32)


def draw_orchard(rng: np.random.Generator, size_px: tuple[int, int]) -> Canvas:
    """Draw a view with detail at every scale: (height, width, 3) float32, 0 to 255."""
    width, height = size_px
    shape = (height, width)
    leaves = _texture(rng, shape, octaves=(3, 7, 15, 40, 120, 400, 1000, 2000), roughness=0.8)
    canvas = np.empty((height, width, 3), np.float32)
    for channel, (base, swing) in enumerate(((90, 75), (120, 70), (70, 60))):
        tint = _texture(rng, shape, octaves=(2, 5, 9))
        canvas[..., channel] = base + swing * (leaves + 0.6 * tint)
    for _ in range(12):
        side = int(rng.integers(height // 8, height // 3))
        top, left = int(rng.integers(0, height - side)), int(rng.integers(0, width - side))
        fruit = draw_fruit(rng, side)
        on_white = (fruit.min(axis=2) >= 250)[..., None]
        window = canvas[top : top + side, left : left + side]
        window[...] = np.where(on_white, window, fruit)
    # The grain of a small sensor, which is most of what a phone's JPEG spends its bytes on.
    canvas += rng.standard_normal(shape, dtype=np.float32)[..., None] * 5
    return canvas


def _texture(
    rng: np.random.Generator,
    shape: tuple[int, int],
    *,
    octaves: tuple[int, ...],
    roughness: float = 0.6,
) -> Canvas:
    """Sum smooth noise of several grids, each finer and weaker: (height, width), about -1 to 1."""
    height, width = shape
    total: Canvas = np.zeros(shape, np.float32)
    for octave, cells in enumerate(octaves):
        grid = rng.uniform(-1, 1, (cells + 1, cells + 1)).astype(np.float32)
        smooth = Image.fromarray(grid).resize((width, height), Image.Resampling.BICUBIC)
        total += np.asarray(smooth) * np.float32(roughness**octave)
    return total / np.float32(sum(roughness**octave for octave in range(len(octaves))))


def _encode(canvas: Canvas, *, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8)).save(
        buffer, "JPEG", quality=quality, subsampling=_SUBSAMPLING
    )
    return buffer.getvalue()


def _with_comment(jpeg: bytes, comment: str) -> bytes:
    """Return the same picture with other bytes: a comment segment after the first marker."""
    text = comment.encode()
    return jpeg[:2] + b"\xff\xfe" + (len(text) + 2).to_bytes(2, "big") + text + jpeg[2:]
