"""Fruits that show their inside: a cut face in front of the other half."""

import math

import numpy as np

from sample_photographs.drawing.canvas import Canvas, Field, mix, patches, radius, rgb, step
from sample_photographs.drawing.parts import Pose, skin


def kiwi(canvas: Canvas, pose: Pose) -> None:
    """Draw a brown, hairy half behind a green slice with black seeds and a pale heart."""
    rng = canvas.rng
    phase = rng.uniform(0, 6.283)
    hair = skin(canvas, "#7a5a34", "#94724a", "#644826", cells=64)
    green = rgb("#8cb83a") * rng.uniform(0.92, 1.08)

    def slice_(p: Field, q: Field) -> Field:
        r, turn = radius(p, q), np.arctan2(q, p) + phase
        rays = (0.5 + 0.5 * np.cos(26 * turn)) * step(r, 0.2, 0.5) * step(r, 0.95, 0.7)
        colour = mix(np.broadcast_to(green, (*p.shape, 3)), rgb("#c5dd77"), 0.5 * rays)
        colour = mix(colour, rgb("#eef0c4"), step(r, 0.36, 0.2))
        for ring, count in ((0.43, 26), (0.56, 26)):
            swing = (turn * (count / 6.2832) + ring) % 1 - 0.5
            seed = radius(swing / 0.22, (r - ring) / 0.055)
            colour = mix(colour, rgb("#1d1a12"), step(seed, 1.05, 0.75))
        return mix(colour, rgb("#6f5230"), step(r, 0.93, 0.965))

    size = pose.size * 0.82
    canvas.solid(
        hair,
        centre=pose.at(0.5, -0.35),
        radii=(size * 1.1, size * 0.92),
        angle=pose.angle,
        gloss=0.05,
    )
    canvas.solid(
        slice_,
        centre=pose.at(-0.3, 0.25),
        radii=(size, size * 0.94),
        angle=pose.angle,
        dome=0.3,
        gloss=0.06,
    )


def orange(canvas: Canvas, pose: Pose) -> None:
    """Draw a pored orange ball behind a half that shows its segments."""
    rng = canvas.rng
    phase, segments = rng.uniform(0, 6.283), int(rng.integers(9, 12))
    peel = skin(canvas, "#ef8a17", "#f79a2b", "#e6780c", cells=3, tone=0.05)

    def ball(p: Field, q: Field) -> Field:
        pores = patches(rng, p.shape, (60, 60))
        colour = mix(peel(p, q), rgb("#b85a06"), 0.45 * step(pores, 0.55, 1.0))
        return mix(colour, rgb("#5f7a2a"), step(radius(p + 0.2, q + 0.3), 0.13, 0.07))

    def half(p: Field, q: Field) -> Field:
        r, turn = radius(p, q), np.arctan2(q, p) + phase
        swing = np.abs((turn * (segments / 6.2832)) % 1 - 0.5)
        # The skin between segments is as wide near the middle as at the rim.
        between = step((0.5 - swing) * r, 0.028, 0.012)
        pulp = 0.3 * patches(rng, p.shape, (40, 40))
        colour = mix(np.broadcast_to(rgb("#f7a02c"), (*p.shape, 3)), rgb("#fdc766"), pulp)
        colour = mix(colour, rgb("#fbe3b4"), np.maximum(between, step(r, 0.12, 0.05)))
        colour = mix(colour, rgb("#fbeed2"), step(r, 0.84, 0.87))
        return mix(colour, rgb("#ee8512"), step(r, 0.93, 0.955))

    size = pose.size * 0.8
    canvas.solid(ball, centre=pose.at(0.42, -0.3), radii=(size, size), gloss=0.3)
    canvas.solid(half, centre=pose.at(-0.4, 0.32), radii=(size, size * 0.96), dome=0.25, gloss=0.05)


def watermelon(canvas: Canvas, pose: Pose) -> None:
    """Draw a dark striped half behind a red face with black pips and a green rind."""
    rng = canvas.rng
    stripes, phase = int(rng.integers(4, 6)), rng.uniform(0, 6.283)
    red = rgb("#e2434b") * rng.uniform(0.94, 1.06)

    def shell(p: Field, q: Field) -> Field:
        jag = 0.22 * patches(rng, p.shape, (14, 14))
        around = q / np.sqrt(np.clip(1 - p * p, 0.02, 1)) + jag
        dark = 0.5 + 0.5 * np.cos(around * (math.pi * stripes) + phase)
        return mix(
            np.broadcast_to(rgb("#9cc06a"), (*p.shape, 3)), rgb("#1f5a2c"), step(dark, 0.35, 0.6)
        )

    def face(p: Field, q: Field) -> Field:
        r, turn = radius(p, q), np.arctan2(q, p) + phase
        juice = 0.35 * patches(rng, p.shape, (16, 16))
        colour = mix(np.broadcast_to(red, (*p.shape, 3)), rgb("#f27a78"), juice)
        for ring, count in ((0.38, 9), (0.58, 14)):
            swing = (turn * (count / 6.2832) + ring) % 1 - 0.5
            pip = radius(swing * r / count * 6.2832 / 0.03, (r - ring) / 0.055)
            colour = mix(colour, rgb("#221512"), step(pip, 1.1, 0.8))
        colour = mix(colour, rgb("#f3efd2"), step(r, 0.82, 0.88))
        return mix(colour, rgb("#2f6f35"), step(r, 0.94, 0.97))

    size = pose.size * 0.86
    canvas.solid(
        shell,
        centre=pose.at(0.38, -0.2),
        radii=(size * 1.12, size),
        angle=pose.angle,
        gloss=0.25,
    )
    canvas.solid(
        face,
        centre=pose.at(-0.3, 0.22),
        radii=(size * 0.9, size * 0.88),
        angle=pose.angle,
        dome=0.22,
        gloss=0.04,
    )
