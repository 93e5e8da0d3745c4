"""Drawn photographs of ten kinds of fruit, in numpy and Pillow alone."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from sample_photographs.drawing import cut_fruits, whole_fruits
from sample_photographs.drawing.canvas import Canvas
from sample_photographs.drawing.parts import Pose

FRUITS: dict[str, Callable[[Canvas, Pose], None]] = {
    "açaí": whole_fruits.acai,
    "banana": whole_fruits.banana,
    "cherry": whole_fruits.cherry,
    "green apple": whole_fruits.green_apple,
    "kiwi": cut_fruits.kiwi,
    "lemon": whole_fruits.lemon,
    "orange": cut_fruits.orange,
    "peach": whole_fruits.peach,
    "strawberry": whole_fruits.strawberry,
    "watermelon": cut_fruits.watermelon,
}


def draw_fruit(
    label: str, *, width: int, height: int, rng: np.random.Generator, transparent: bool = False
) -> Image.Image:
    """Draw one upright photograph of `label`: RGB, or RGBA without its table.

    Every choice (pose, light, table, shades) comes from `rng`.
    """
    canvas = Canvas(width, height, rng)
    x, y = rng.uniform(-0.14, 0.14, 2)
    pose = Pose((float(x), float(y)), rng.uniform(0.52, 0.72), rng.uniform(0, 6.283))
    FRUITS[label](canvas, pose)
    return canvas.image(transparent=transparent)
