"""A canvas for drawn photographs: a table, a light, and rounded things seen from above.

Positions and radii are in half shorter sides from the middle, y downwards, so that a drawing looks
alike at every size. Colours are sRGB in [0, 1], float32, channels last.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageColor, ImageDraw

Field = npt.NDArray[np.floating[Any]]
Point = tuple[float, float]
Texture = Callable[[Field, Field], Field]  # (p, q), each (h, w) -> colour (h, w, 3)
Warp = Callable[[Field, Field], tuple[Field, Field]]  # outline -> unit disc

_STROKE_OVERSAMPLING = 3
_SHADOW_REACH = 1.5
_TABLES = ("#d9c7a8", "#b98a5e", "#8a6242", "#e8e4dc", "#cfd8d6", "#5d6670", "#c9b7a2", "#a9b89c")


def rgb(code: str) -> Field:
    """Return the colour of ``#rrggbb``, shape (3,)."""
    return np.array(ImageColor.getrgb(code), dtype=np.float32) / 255


def mix(below: Field, above: Field, share: Field) -> Field:
    """Return `below` (..., 3) covered by `above` (..., 3) where `share` (h, w) is 1."""
    mixed: Field = above - below
    mixed *= share[..., None]
    mixed += below
    return mixed


def step(values: Field, start: float, end: float) -> Field:
    """Return 0 up to `start`, 1 from `end` on, smooth between; `start` > `end` runs downwards."""
    t = np.clip((values - start) / (end - start), 0, 1)
    smooth: Field = t * t * (3 - 2 * t)
    return smooth


def radius(x: Field, y: Field) -> Field:
    """Return the distance from the origin; a third of the time of ``np.hypot``."""
    distance: Field = np.sqrt(x * x + y * y)
    return distance


def patches(rng: np.random.Generator, shape: tuple[int, ...], cells: tuple[int, int]) -> Field:
    """Return a smooth random field of `shape` in about [0, 1] with `cells` (rows, columns)."""
    grid = Image.fromarray(rng.random(cells, dtype=np.float32))
    resized = grid.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(resized, dtype=np.float32)


class Canvas:
    """A photograph in the making.

    Attributes
    ----------
    pixels : float32 (height, width, 3), the picture so far
    coverage : float32 (height, width), 1 where something lies on the table
    light : unit vector (x, y, z) towards the light, z towards the camera
    """

    def __init__(self, width: int, height: int, rng: np.random.Generator) -> None:
        self.rng = rng
        self.scale = min(width, height) / 2
        self._middle = ((width - 1) / 2, (height - 1) / 2)
        heading, lean = rng.uniform(0, 2 * math.pi), rng.uniform(0.45, 0.75)
        self.light = (
            lean * math.cos(heading),
            lean * math.sin(heading),
            math.sqrt(1 - lean * lean),
        )
        self.coverage = np.zeros((height, width), dtype=np.float32)
        self.pixels = self._table(width, height)

    def solid(
        self,
        texture: Texture,
        *,
        centre: Point,
        radii: Point,
        angle: float = 0.0,
        warp: Warp | None = None,
        reach: float = 1.0,
        dome: float = 1.0,
        gloss: float = 0.4,
        shadow: float = 0.55,
    ) -> None:
        """Lay a shaded body on the table, with its shadow.

        `warp` maps the outline to the unit disc, where `texture` gives the colour; `reach` is how
        far the outline goes beyond the radii. `dome` is 1 for a ball and 0 for something flat.
        """
        self._shade(centre, radii, angle, warp, reach, shadow)
        rows, columns, u, v = self._local(centre, radii, angle, reach * 1.02)
        if min(u.shape) < 2:  # beside the picture
            return
        p, q = warp(u, v) if warp else (u, v)
        r = radius(p, q)
        # One pixel of soft edge, however the outline stretches the disc.
        slope = np.sqrt(np.gradient(r, axis=0) ** 2 + np.gradient(r, axis=1) ** 2)
        alpha = np.clip((1 - r) / (slope + 1e-6) + 0.5, 0, 1)
        z = np.sqrt(np.clip(1 - (dome * r) ** 2, 0, 1))
        cos, sin = math.cos(angle), math.sin(angle)
        x_light, y_light, z_light = self.light
        a, b = dome * (cos * x_light + sin * y_light), dome * (cos * y_light - sin * x_light)
        facing = a * p + b * q + z_light * z
        diffuse = np.clip(facing, 0, 1)
        # Blinn-Phong: the camera looks straight down, so its direction is (0, 0, 1).
        mirror = np.clip((facing + z) / math.sqrt(2 + 2 * z_light), 0, 1)
        shade = (0.54 + 0.54 * diffuse) * (0.84 + 0.16 * z)
        # The shaded side of real fruit turns warmer, not grey: red fades less than green and blue.
        colour = texture(p, q) * np.stack([0.1 + 0.9 * shade, shade, shade], axis=-1)
        # Squares of squares: numpy raises to other powers ten times as slowly.
        sheen = ((mirror**2) ** 2) ** 2
        colour += (gloss * (((sheen**2) ** 2) ** 2 + 0.16 * sheen))[..., None]
        self._lay(rows, columns, colour, alpha)

    def stroke(self, points: Sequence[Point], *, width: float, colour: str) -> None:
        """Draw a curved line (a stem) through a start, a control point and an end."""
        start, control, end = (np.array(point) for point in points)
        t = np.linspace(0, 1, 24)[:, None]
        curve = (1 - t) ** 2 * start + 2 * t * (1 - t) * control + t**2 * end
        pixels = curve * self.scale + self._middle
        height, width_px = self.coverage.shape
        margin = width * self.scale + 2
        low = np.maximum(np.floor(pixels.min(axis=0) - margin), 0).astype(int)
        high = np.minimum(np.ceil(pixels.max(axis=0) + margin), (width_px, height)).astype(int)
        size = high - low
        if size.min() <= 0:
            return
        n = _STROKE_OVERSAMPLING
        mask = Image.new("L", (int(size[0]) * n, int(size[1]) * n))
        line = [(float(x), float(y)) for x, y in (pixels - low) * n]
        thickness = max(n, round(width * self.scale * n))
        ImageDraw.Draw(mask).line(line, fill=255, width=thickness, joint="curve")
        alpha = np.asarray(mask.reduce(n), dtype=np.float32) / 255
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        self._lay(rows, columns, np.broadcast_to(rgb(colour), (*alpha.shape, 3)), alpha)

    def image(self, *, transparent: bool = False) -> Image.Image:
        """Return the finished photograph: RGB, or RGBA without the table."""
        height, width = self.coverage.shape
        grain = self.rng.standard_normal((height, width), dtype=np.float32)
        tint = 1 + self.rng.uniform(-0.05, 0.05, 3).astype(np.float32)
        exposure = self.rng.uniform(0.92, 1.1)
        # In place: new arrays of this size cost more than the arithmetic.
        pixels = self.pixels * (255 * tint * exposure)
        pixels += (grain * 2 + 0.5)[..., None]
        values = np.clip(pixels, 0, 255, out=pixels).astype(np.uint8)
        if not transparent:
            return Image.fromarray(values)
        alpha = (self.coverage * 255 + 0.5).astype(np.uint8)
        return Image.fromarray(np.dstack([values, alpha]))

    def _table(self, width: int, height: int) -> Field:
        """Return the empty table, lit: plain, cloth or wood."""
        rng, shape = self.rng, (height, width)
        base = rgb(_TABLES[rng.integers(len(_TABLES))])
        relief = patches(rng, shape, (4, 5)) * 0.14
        kind = rng.integers(3)
        if kind == 1:
            relief += patches(rng, shape, (90, 7)) * 0.05
            relief += patches(rng, shape, (7, 90)) * 0.05
        elif kind == 2:
            grain = patches(rng, shape, (40, 3)) * 0.2
            rows = np.arange(height, dtype=np.float32) / height
            gap = np.abs((rows * int(rng.integers(2, 5)) + 0.3) % 1 - 0.5)
            relief += grain - (0.2 * step(gap, 0.012, 0.003))[:, None]
        y = (np.arange(height, dtype=np.float32)[:, None] - self._middle[1]) / self.scale
        x = (np.arange(width, dtype=np.float32)[None, :] - self._middle[0]) / self.scale
        falloff = 0.1 * (x * self.light[0] + y * self.light[1]) - 0.05 * (x * x + y * y)
        return base * (0.93 + relief + falloff).astype(np.float32)[..., None]

    def _shade(
        self, centre: Point, radii: Point, angle: float, warp: Warp | None, reach: float, by: float
    ) -> None:
        away = 0.22 * min(radii)
        thrown = (centre[0] - away * self.light[0], centre[1] - away * self.light[1])
        rows, columns, u, v = self._local(thrown, radii, angle, reach * _SHADOW_REACH)
        if not u.size:
            return
        p, q = warp(u, v) if warp else (u, v)
        dark = by * step(radius(p, q), 1.32, 0.62)
        self.pixels[rows, columns] *= (1 - dark)[..., None]

    def _local(
        self, centre: Point, radii: Point, angle: float, reach: float
    ) -> tuple[slice, slice, Field, Field]:
        """Return the part of the canvas around a body, and the body's own coordinates there."""
        height, width = self.coverage.shape
        x0 = centre[0] * self.scale + self._middle[0]
        y0 = centre[1] * self.scale + self._middle[1]
        cos, sin = math.cos(angle), math.sin(angle)
        half_x = reach * self.scale * math.hypot(radii[0] * cos, radii[1] * sin) + 2
        half_y = reach * self.scale * math.hypot(radii[0] * sin, radii[1] * cos) + 2
        left, right = max(0, int(x0 - half_x)), min(width, int(x0 + half_x) + 1)
        top, bottom = max(0, int(y0 - half_y)), min(height, int(y0 + half_y) + 1)
        rows, columns = slice(top, max(top, bottom)), slice(left, max(left, right))
        x = (np.arange(columns.start, columns.stop, dtype=np.float32) - x0)[None, :] / self.scale
        y = (np.arange(rows.start, rows.stop, dtype=np.float32) - y0)[:, None] / self.scale
        u = ((cos * x + sin * y) / radii[0]).astype(np.float32)
        v = ((cos * y - sin * x) / radii[1]).astype(np.float32)
        return rows, columns, u, v

    def _lay(self, rows: slice, columns: slice, colour: Field, alpha: Field) -> None:
        self.pixels[rows, columns] = mix(self.pixels[rows, columns], colour, alpha)
        covered = self.coverage[rows, columns]
        self.coverage[rows, columns] = covered + (1 - covered) * alpha
