"""Fruits that lie there whole, each with its own colour, outline and skin."""

import math

import numpy as np

from sample_photographs.drawing.canvas import Canvas, Field, mix, patches, radius, rgb, step
from sample_photographs.drawing.parts import Pose, lattice, leaf, skin, stem


def acai(canvas: Canvas, pose: Pose) -> None:
    """Draw a heap of small, nearly black berries with a bluish bloom."""
    rng, pitch = canvas.rng, 0.4
    spots = [
        (pitch * (column + row % 2 / 2), pitch * 0.87 * row)
        for row in range(-3, 4)
        for column in range(-3, 4)
    ]
    leaf(canvas, pose.at(0.3, 0.3), length=pose.size * 1.1, angle=pose.angle + 0.6)
    for index in rng.permutation(len(spots)):
        x, y = np.array(spots[index]) + rng.normal(0, 0.05, 2)
        if math.hypot(x, y) > rng.uniform(0.75, 1.15):
            continue
        peel = skin(canvas, "#2a1533", "#4a2a5e", "#5d5480", cells=3, tone=0.2)
        size = pose.size * rng.uniform(0.2, 0.25)
        canvas.solid(peel, centre=pose.at(x, y), radii=(size, size), gloss=0.55, shadow=0.5)


def banana(canvas: Canvas, pose: Pose) -> None:
    """Draw two or three curved yellow fingers, brown at the tips, freckled."""
    rng, bow = canvas.rng, 1.25
    span = rng.uniform(0.72, 0.85)

    def arc(u: Field, v: Field) -> tuple[Field, Field]:
        along = np.arctan2(u, bow - v) / span
        across = (radius(u, bow - v) - bow) / 0.2
        return along * along * along, across

    yellow = rgb("#f3cf3a") * rng.uniform(0.94, 1.05)

    def texture(p: Field, q: Field) -> Field:
        ridge = 0.5 * step(np.abs(q - 0.25), 0.12, 0.0) + 0.3 * step(np.abs(q + 0.45), 0.1, 0.0)
        colour = mix(np.broadcast_to(yellow, (*p.shape, 3)), rgb("#d9a92a"), ridge)
        colour = mix(colour, rgb("#b8c24a"), 0.6 * step(np.abs(p), 0.35, 0.8))
        freckles = patches(rng, p.shape, (46, 46))
        colour = mix(colour, rgb("#8a5a20"), 0.7 * step(freckles, 0.92, 1.0))
        return mix(colour, rgb("#4b3418"), step(np.abs(p), 0.72, 0.95))

    for finger in range(int(rng.integers(2, 4))):
        turned = Pose(pose.at(0, 0.34 * finger - 0.3), pose.size, pose.angle + 0.16 * (finger - 1))
        radii = (turned.size * 1.25, turned.size * 1.25)
        canvas.solid(
            texture, centre=turned.centre, radii=radii, angle=turned.angle, warp=arc, gloss=0.16
        )


def cherry(canvas: Canvas, pose: Pose) -> None:
    """Draw a pair of glossy dark red balls whose long stems meet under a leaf."""
    rng, joint = canvas.rng, (0.1, -1.15)
    leaf(canvas, pose.at(*joint), length=pose.size * 0.95, angle=pose.angle + 0.5)
    for side in (-1, 1):
        x, y = 0.5 * side + rng.normal(0, 0.05), 0.35 + rng.normal(0, 0.1)
        size = pose.size * rng.uniform(0.43, 0.5)
        peel = skin(canvas, "#8e0f22", "#c2202f", "#6d0a1c", cells=3, tone=0.12)
        canvas.solid(
            peel, centre=pose.at(x, y), radii=(size, size * 0.95), angle=pose.angle, gloss=0.75
        )
        canvas.solid(
            skin(canvas, "#5a0a18", "#6d1020"),
            centre=pose.at(x, y - 0.3),
            dome=0.5,
            gloss=0.1,
            radii=(size * 0.26, size * 0.13),
            angle=pose.angle,
            shadow=0.25,
        )
        stem(canvas, pose, start=(x, y - 0.3), end=joint, colour="#77862f")


def green_apple(canvas: Canvas, pose: Pose) -> None:
    """Draw a bright green ball with pale dots, a hollow, a stem and mostly a leaf."""

    def outline(u: Field, v: Field) -> tuple[Field, Field]:
        rho = 1 - 0.12 * step(np.abs(u), 0.6, 0.0) * (v < 0) + 0.04 * np.abs(u)
        return u / rho, v / rho

    ground = skin(canvas, "#74b52a", "#9ccf48", "#b5d860", cells=3)

    def texture(p: Field, q: Field) -> Field:
        dots = lattice(p + 0.07 * q, q + 0.09 * p, pitch=0.17, dot=0.16)
        hollow = step(radius(p / 0.34, (q + 0.66) / 0.2), 1.1, 0.1)
        return mix(mix(ground(p, q), rgb("#e6efb0"), 0.5 * dots), rgb("#4f6a1c"), 0.75 * hollow)

    radii = (pose.size, pose.size * 0.94)
    canvas.solid(
        texture, centre=pose.centre, radii=radii, angle=pose.angle, warp=outline, reach=1.06
    )
    stem(canvas, pose, start=(0, -0.64), end=(0.12, -1.1), colour="#6b4a2b")
    if canvas.rng.random() < 0.7:
        leaf(canvas, pose.at(0.06, -0.86), length=pose.size * 0.75, angle=pose.angle - 0.35)


def lemon(canvas: Canvas, pose: Pose) -> None:
    """Draw one or two yellow ovals with a tip at each end and fine pores."""
    rng = canvas.rng

    def outline(u: Field, v: Field) -> tuple[Field, Field]:
        tip = 1 + 0.24 * step(np.abs(v), 0.5, 0.0) * step(np.abs(u), 0.4, 0.9)
        return u / tip, v

    ground = skin(canvas, "#f2d21f", "#f7e14c", "#e9c21a", cells=3, tone=0.05)

    def texture(p: Field, q: Field) -> Field:
        pores = patches(rng, p.shape, (54, 54))
        colour = mix(ground(p, q), rgb("#c79a10"), 0.35 * step(pores, 0.6, 1.0))
        return mix(colour, rgb("#a9ad3a"), 0.8 * step(np.abs(p), 0.86, 1.0))

    count = int(rng.integers(1, 3))
    for index in range(count):
        apart = (index - (count - 1) / 2) * 1.15
        size = pose.size * (0.95 if count == 1 else 0.74)
        canvas.solid(
            texture,
            centre=pose.at(0.2 * apart, apart),
            radii=(size, size * 0.72),
            warp=outline,
            angle=pose.angle + rng.normal(0, 0.2),
            reach=1.26,
            gloss=0.3,
        )


def peach(canvas: Canvas, pose: Pose) -> None:
    """Draw a velvety ball, yellow with a red blush, and the seam down one side."""
    rng = canvas.rng
    towards = rng.uniform(0, 6.283)
    ground = skin(canvas, "#f4b866", "#f7c884", "#f2a65e", cells=3, tone=0.05)

    def texture(p: Field, q: Field) -> Field:
        side = p * math.cos(towards) + q * math.sin(towards)
        blush = step(side + 0.9 * patches(rng, p.shape, (5, 5)), 0.0, 1.1)
        colour = mix(ground(p, q), rgb("#cf4436"), 0.9 * blush)
        seam = np.abs(p - 0.3 * np.sqrt(np.clip(1 - q * q, 0, 1))) + 0.5 * step(q, 0.2, 0.9)
        colour = mix(colour, rgb("#8c2f28"), 0.55 * step(seam, 0.06, 0.0))
        hollow = step(radius(p / 0.26, (q + 0.82) / 0.15), 1.1, 0.2)
        # Velvet scatters at grazing angles, which makes the rim paler, not darker.
        rim = step(radius(p, q), 0.7, 1.0)
        return mix(mix(colour, rgb("#7a3a22"), 0.7 * hollow), rgb("#ffdcc0"), 0.3 * rim)

    leaf(canvas, pose.at(0.0, -0.75), length=pose.size * 1.0, angle=pose.angle - 0.9, wide=0.3)
    canvas.solid(
        texture,
        centre=pose.centre,
        radii=(pose.size, pose.size * 0.96),
        angle=pose.angle,
        gloss=0.06,
    )
    stem(canvas, pose, start=(0.02, -0.8), end=(0.08, -1.02), colour="#6e5230")


def strawberry(canvas: Canvas, pose: Pose) -> None:
    """Draw one to three red hearts dotted with pale seeds, under a green crown."""
    rng = canvas.rng

    def outline(u: Field, v: Field) -> tuple[Field, Field]:
        return u / (0.98 - 0.36 * np.clip(v, -1.2, 1.2)), v

    def texture(p: Field, q: Field) -> Field:
        colour = flesh(p, q)
        dots = lattice(p, q, pitch=0.21, dot=0.2)
        dips = lattice(p, q, pitch=0.21, dot=0.44)
        return mix(mix(colour, rgb("#8f0f18"), 0.5 * dips), rgb("#f2d98a"), dots)

    flesh = skin(canvas, "#d3202c", "#e2363a", "#b9141f", cells=3, tone=0.06)
    count = int(rng.integers(1, 4))
    size = pose.size * (0.95, 0.72, 0.62)[count - 1]
    for index in range(count):
        around, spread = 2 * math.pi * index / count, 0.62 * (count > 1)
        middle = pose.at(spread * math.cos(around), spread * math.sin(around))
        berry = Pose(middle, size, pose.angle + rng.normal(0, 0.5))
        canvas.solid(
            texture,
            centre=middle,
            radii=(size * 0.84, size),
            angle=berry.angle,
            warp=outline,
            reach=1.3,
            gloss=0.35,
        )
        for turn in np.linspace(-2.6, 2.6, 6):
            heading = berry.angle - math.pi / 2 + float(turn + rng.normal(0, 0.12))
            leaf(canvas, berry.at(0, -0.82), length=size * 0.55, angle=heading, wide=0.5)
