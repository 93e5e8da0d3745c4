"""The photographs that seeded weights are calibrated on: drawn in memory, the same every time."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sample_photographs.sample_files import LABELS, draw_upright, plan_shots

N_CALIBRATION_IMAGES = 48


def calibration_pixels(
    size_px: int, *, n_images: int = N_CALIBRATION_IMAGES, seed: int = 0
) -> NDArray[np.uint8]:
    """Return (n_images, size_px, size_px, 3) uint8 RGB, as even over the labels as the number is.

    Takes about 2 s.
    """
    # The first image of every label, then the second of every label, and so on.
    shots = sorted(plan_shots(-(-n_images // len(LABELS))), key=lambda shot: shot.key[::-1])
    images = (draw_upright(shot, seed).convert("RGB") for shot in shots[:n_images])
    return np.stack(
        [np.asarray(each.resize((size_px, size_px), Image.Resampling.BICUBIC)) for each in images]
    )
