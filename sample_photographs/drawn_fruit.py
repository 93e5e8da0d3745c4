"""Drawn photographs of ten kinds of fruit on a table, in numpy and Pillow alone."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor

Field = npt.NDArray[np.floating[Any]]

_TABLES = ("#d9c7a8", "#b98a5e", "#8a6242", "#e8e4dc", "#cfd8d6", "#5d6670", "#c9b7a2", "#a9b89c")


@dataclass(frozen=True, slots=True)
class Look:
    """How a fruit looks from above.

    ``skin`` are the two colors that it is patched with, ``rings`` those of a cut fruit with the
    share of the radius that each reaches, ``dots`` the color and the radii of seeds or pores.
    """

    skin: tuple[str, str]
    rings: tuple[tuple[float, str], ...] = ()
    dots: tuple[str, float, float] | None = None
    elongation: float = 1.0
    bend: float = 0.0
    n_pieces: int = 1


FRUITS: dict[str, Look] = {
    "açaí": Look(("#2a1533", "#5d5480"), n_pieces=9),
    "banana": Look(("#f3cf3a", "#d9a92a"), elongation=3.2, bend=0.9, n_pieces=2),
    "cherry": Look(("#8e0f22", "#c2202f"), n_pieces=2),
    "green apple": Look(("#8fbf3f", "#b7d46a"), dots=("#d7e6a0", 0.0, 1.0)),
    "kiwi": Look(
        ("#7a5c33", "#8f6f42"), ((0.93, "#7fae35"), (0.3, "#e6e8b4")), ("#20180f", 0.32, 0.6)
    ),
    "lemon": Look(("#f2d22e", "#e3b91f"), dots=("#d2a818", 0.0, 1.0), elongation=1.4),
    "orange": Look(
        ("#ef8a1d", "#f7a63a"), ((0.92, "#f8e3bd"), (0.85, "#f5a02c")), ("#fbd08a", 0.2, 0.8)
    ),
    "peach": Look(("#f0b27a", "#c8483e")),
    "strawberry": Look(("#c9182b", "#e0443f"), dots=("#f0cf6a", 0.0, 0.95), elongation=1.25),
    "watermelon": Look(
        ("#2f6b34", "#7fae5a"), ((0.93, "#e9f0cf"), (0.85, "#e0444f")), ("#241a14", 0.25, 0.7)
    ),
}


def draw_fruit(
    label: str, *, width: int, height: int, rng: np.random.Generator, transparent: bool = False
) -> Image.Image:
    """Draw one upright photograph of ``label``: RGB, or RGBA without its table.

    Every choice (place, size, light, table, shades) comes from ``rng``.
    """
    look, scale = FRUITS[label], min(width, height) / 2
    x = (np.arange(width, dtype=np.float32)[None, :] - width / 2) / scale
    y = (np.arange(height, dtype=np.float32)[:, None] - height / 2) / scale
    # Python's floats: numpy's would turn every float32 into a float64.
    light = float(rng.uniform(-0.45, 0.45)), float(rng.uniform(-0.45, 0.45))
    table = _rgb(_TABLES[rng.integers(len(_TABLES))])
    relief = 0.85 + 0.2 * _patches(rng, (height, width), 5) + 0.1 * (light[0] * x + light[1] * y)
    pixels = table * relief[..., None]
    covered = np.zeros((height, width), np.float32)
    middle, size = rng.uniform(-0.14, 0.14, 2), rng.uniform(0.55, 0.72)
    for place in _places(look.n_pieces, rng):
        piece = size / math.sqrt(look.n_pieces) * rng.uniform(0.95, 1.1)
        left, top = map(float, middle + size * place)
        # A piece and its shadow: the rest of the photograph stays as it is.
        reach = 1.5 * piece * (1 + look.bend) * math.sqrt(look.elongation)
        rows, columns = np.abs(y[:, 0] - top) < reach, np.abs(x[0] - left) < reach
        window = (slice(*_ends(rows)), slice(*_ends(columns)))
        seen = x[:, window[1]] - left, y[window[0]] - top
        away = seen[0] + 0.2 * piece * light[0], seen[1] + 0.2 * piece * light[1]
        angle = rng.uniform(0, 2 * math.pi)
        shadow, _ = _outline(look, *away, piece, angle)
        outline = _outline(look, *seen, piece, angle)
        inside, color = _piece(look, outline, (seen[0] / piece, seen[1] / piece), light, rng)
        part = pixels[window]
        part *= (1 - 0.4 * np.clip(2.4 - 2 * shadow, 0, 1) * (1 - inside))[..., None]
        part += (color - part) * inside[..., None]
        covered[window] = np.maximum(covered[window], inside)
    pixels *= 255 * rng.uniform(0.92, 1.1) * rng.uniform(0.95, 1.05, 3).astype(np.float32)
    pixels += 2 * rng.standard_normal((height, width, 1), dtype=np.float32)
    values = np.clip(pixels, 0, 255).astype(np.uint8)
    if transparent:
        values = np.dstack([values, (255 * covered).astype(np.uint8)])
    return Image.fromarray(values)


def _places(n_pieces: int, rng: np.random.Generator) -> Field:
    """Return the middles of the pieces, (n_pieces, 2), in radii of the whole."""
    if n_pieces == 1:
        return np.zeros((1, 2))
    angles = rng.uniform(0, 2 * math.pi) + 2 * math.pi * np.arange(n_pieces) / n_pieces
    places: Field = np.stack([np.cos(angles), np.sin(angles)], 1)
    return places * rng.uniform(0.35, 0.75, (n_pieces, 1))


def _ends(seen: npt.NDArray[np.bool_]) -> tuple[int, int]:
    """Return where a run of True begins and ends; two pixels at least."""
    found = np.flatnonzero(seen)
    first = min(int(found[0]), len(seen) - 2)
    return first, max(int(found[-1]) + 1, first + 2)


def _outline(look: Look, x: Field, y: Field, size: float, angle: float) -> tuple[Field, Field]:
    """Return radius (1 at the outline) and angle of each pixel in a piece's own axes."""
    along = (x * math.cos(angle) + y * math.sin(angle)) / size / math.sqrt(look.elongation)
    across = (y * math.cos(angle) - x * math.sin(angle)) / size * math.sqrt(look.elongation)
    across = across - look.bend * (1 - along * along)
    return np.sqrt(along * along + across * across), np.arctan2(across, along)


def _piece(
    look: Look,
    outline: tuple[Field, Field],
    place: tuple[Field, Field],
    light: tuple[float, float],
    rng: np.random.Generator,
) -> tuple[Field, Field]:
    """Return the share of each pixel that a piece covers, (h, w), and its colors, (h, w, 3).

    ``place`` are x and y of each pixel from the middle of the piece, in its radii.
    """
    (r, around), (x, y) = outline, place
    r = r * (1 + 0.02 * np.sin(int(rng.integers(2, 6)) * around + rng.uniform(0, 6)))
    edge = abs(float(x[0, 1] - x[0, 0]))
    one, other = (_rgb(each) * float(rng.uniform(0.92, 1.08)) for each in look.skin)
    color = one + (other - one) * _patches(rng, r.shape, 6)[..., None]
    for share, ring in look.rings:
        rays = 1 + 0.06 * np.cos(10 * around)[..., None]
        color += (_rgb(ring) * rays - color) * np.clip((share - r) / edge, 0, 1)[..., None]
    if look.dots:
        name, nearest, farthest = look.dots
        lattice = np.cos(24 * around) * np.cos(20 * r + rng.uniform(0, 6))
        dots = np.clip(4 * lattice - 3, 0, 1) * (nearest < r) * (r < farthest)
        color += (_rgb(name) - color) * dots[..., None]
    dome = np.sqrt(np.clip(1 - 0.9 * r * r, 0, 1))
    facing = light[0] * x + light[1] * y
    # Below exp(-30) float32 becomes denormal, which takes several times as long.
    distance = (x - light[0]) ** 2 + (y - light[1]) ** 2
    gloss = np.exp(-np.minimum(distance / 0.03, 30))
    shade = np.clip(0.55 + 0.45 * dome + 0.3 * facing, 0.15, 1.2)
    return np.clip((1 - r) / edge, 0, 1), color * shade[..., None] + 0.3 * gloss[..., None]


def _rgb(code: str) -> Field:
    return np.array(ImageColor.getrgb(code), dtype=np.float32) / 255


def _patches(rng: np.random.Generator, shape: tuple[int, ...], cells: int) -> Field:
    """Return a smooth random field in about [0, 1], (h, w), with so many cells across."""
    grid = Image.fromarray(rng.random((cells, cells), dtype=np.float32))
    return np.asarray(grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC))
