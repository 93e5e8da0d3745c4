"""What several kinds of fruit share: the way they lie, skins, dots, leaves and stems."""

import math
from dataclasses import dataclass

import numpy as np

from sample_photographs.drawing.canvas import (
    Canvas,
    Field,
    Point,
    Texture,
    mix,
    patches,
    radius,
    rgb,
    step,
)


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a fruit lies: middle and radius in half shorter sides, angle in radians."""

    centre: Point
    size: float
    angle: float

    def at(self, x: float, y: float) -> Point:
        """Return the place on the canvas of (x, y), given in radii along the fruit's own axes."""
        cos, sin = math.cos(self.angle), math.sin(self.angle)
        return (
            self.centre[0] + self.size * (cos * x - sin * y),
            self.centre[1] + self.size * (sin * x + cos * y),
        )


def skin(canvas: Canvas, *colours: str, cells: int = 4, tone: float = 0.08) -> Texture:
    """Return a skin that wanders between `colours` (two or more), in `cells` patches across."""
    rng = canvas.rng
    shades = [rgb(colour) * (1 + rng.uniform(-tone, tone)) for colour in colours]

    def texture(p: Field, _: Field) -> Field:
        colour = np.broadcast_to(shades[0], (*p.shape, 3))
        for shade in shades[1:]:
            colour = mix(colour, shade, step(patches(rng, p.shape, (cells, cells)), 0.3, 0.75))
        return colour

    return texture


def lattice(p: Field, q: Field, *, pitch: float, dot: float) -> Field:
    """Return dots of radius `dot` (in pitches) on a ball, seen from above: closer at its rim."""
    r = np.clip(radius(p, q), 1e-6, 1)
    bend = np.arcsin(r) / r / pitch
    rows = q * bend
    columns = p * bend + 0.5 * (np.floor(rows) % 2)
    return step(radius(columns % 1 - 0.5, (rows % 1 - 0.5) * 0.75), dot, dot * 0.5)


def _lens(u: Field, v: Field) -> tuple[Field, Field]:
    """Map the outline of a leaf to the disc: pointed at both ends, as wide in the middle."""
    return u, v / np.sqrt(np.clip(1 - u * u, 1e-3, None))


def leaf(canvas: Canvas, root: Point, *, length: float, angle: float, wide: float = 0.42) -> None:
    """Lay a veined leaf from `root` on, `wide` times as wide as long."""
    shade = rgb("#4f8a2f") * canvas.rng.uniform(0.85, 1.2)

    def texture(p: Field, q: Field) -> Field:
        veins = 0.5 + 0.5 * np.cos(22 * (p - 0.6 * np.abs(q)))
        ribs = np.maximum(0.35 * (veins * veins) ** 2, step(np.abs(q), 0.1, 0.02))
        return mix(np.broadcast_to(shade, (*p.shape, 3)), shade * 1.45, ribs)

    half = length / 2
    middle = (root[0] + half * math.cos(angle), root[1] + half * math.sin(angle))
    canvas.solid(
        texture,
        centre=middle,
        radii=(half, half * wide),
        angle=angle,
        warp=_lens,
        dome=0.55,
        gloss=0.18,
        shadow=0.35,
    )


def stem(canvas: Canvas, pose: Pose, *, start: Point, end: Point, colour: str) -> None:
    """Draw a slightly bent stem; its ends are in radii along the fruit's own axes."""
    bend = (canvas.rng.uniform(-0.15, 0.15) + (start[0] + end[0]) / 2, end[1] * 0.7)
    points = (pose.at(*start), pose.at(*bend), pose.at(*end))
    canvas.stroke(points, width=0.06 * pose.size, colour=colour)
