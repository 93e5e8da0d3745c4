"""Photographs that show little: too dark, overexposed, blurred or tiny.

Everything is measured on one decoding, reduced to 100 to 200 pixels of the shorter side: a blur
that is gone there costs a network that looks at 224 no accuracy, and what an enlargement has added
is gone too.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy import float32, int16, uint8
from numpy.typing import NDArray
from PIL import Image

from spark_assets.output.findings_table import FindingKind

# Shorter sides are reduced by whole factors, and stay at least this long.
MEASURED_PX = 100
# The brightest hundredth of a good photograph is near white: paper, a reflection, the sky.
MAX_DARK = 110
# Where a fifth of what is not white has lost a colour, highlights alone do not explain it.  Of
# photographs that are well exposed, 1 in 100 comes to a tenth.
MIN_BLOWN = 0.2
# Of 720 photographs that a Gaussian of 1 to 3 % of the shorter side has blurred, 1 in 50 has more
# than 0.33.  The sharp photographs with the least are dark cherries, whose smooth skin and cut-out
# outline leave 0.37.
MAX_BLURRED = 0.36
# The network would make 12 pixels of each.
MIN_SIDE_PX = 64
_WHITE, _CLIPPED = 240, 253
# A photograph that is all white shows nothing either.
_MIN_SHOWN = 0.005
# Mean square of differences of grey values below which there is no edge to judge: noise of one grey
# value alone makes 4.
_MIN_SLOPE = 6.0
# The same of the rounding to whole grey values, whose variance is 1/12: of the Laplacian (weights 4
# and -1) and of the two differences.
_ROUNDING_CURVED, _ROUNDING_SLOPED = 20 / 12, 4 / 12


@dataclass(frozen=True, slots=True)
class Quality:
    """What is measured of a photograph.

    ``brightest`` is the grey value, 0 to 255, that a hundredth of the pixels reaches.  ``blown`` is
    the share of what is not white, of which a colour is at its end.  ``sharpness`` is the
    root-mean-square of the Laplacian over that of the gradient: it falls with the width of edges
    and does not depend on contrast; NaN where there is no edge at all.
    """

    brightest: int
    blown: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong, how bad it is from 0 to 1, and what was measured, as a person reads it."""

    kind: FindingKind
    score: float
    detail: str


def reduced(image: Image.Image) -> Image.Image:
    """Return an image of 100 to 200 pixels of the shorter side, or of fewer where it has fewer."""
    factor = min(image.size) // MEASURED_PX
    return image if factor < 2 else image.reduce(factor)


def measure_quality(image: Image.Image) -> Quality:
    """Return the quality of an RGB image that is `reduced`."""
    grey = image.convert("L")
    return Quality(_brightest(grey), _blown(image), _sharpness(np.asarray(grey)))


def defects(quality: Quality | None, width: int, height: int) -> Iterator[Defect]:
    """Yield what is wrong with a photograph; without a quality, its size alone is judged."""
    side = min(width, height)
    if side < MIN_SIDE_PX:
        yield Defect(
            FindingKind.LOW_RESOLUTION,
            1 - side / MIN_SIDE_PX,
            f"low resolution: {width} x {height} px (threshold {MIN_SIDE_PX} a side)",
        )
    if quality is None:
        return
    if quality.brightest < MAX_DARK:
        yield Defect(
            FindingKind.UNDEREXPOSED,
            1 - quality.brightest / 255,
            f"underexposed: 99th percentile of luminance {quality.brightest} "
            f"(threshold {MAX_DARK})",
        )
    if quality.blown > MIN_BLOWN:
        yield Defect(
            FindingKind.OVEREXPOSED,
            quality.blown,
            f"overexposed: {quality.blown:.0%} of the subject is clipped "
            f"(threshold {MIN_BLOWN:.0%})",
        )
    if quality.sharpness < MAX_BLURRED:
        yield Defect(
            FindingKind.BLURRED,
            1 - quality.sharpness,
            f"blurred: sharpness {quality.sharpness:.2f} (threshold {MAX_BLURRED})",
        )


def _brightest(grey: Image.Image) -> int:
    """Return the 99th percentile."""
    above = 0.01 * grey.width * grey.height
    for value, n_pixels in enumerate(reversed(grey.histogram())):
        above -= n_pixels
        if above < 0:
            return 255 - value
    return 0


def _blown(image: Image.Image) -> float:
    """Return the share of what is not white that is clipped, by every fourth pixel."""
    red, green, blue = np.ascontiguousarray(np.asarray(image)[::2, ::2].transpose(2, 0, 1))
    is_shown = np.minimum(np.minimum(red, green), blue) < _WHITE
    n_shown = np.count_nonzero(is_shown)
    if n_shown <= _MIN_SHOWN * is_shown.size:
        return 1.0
    is_clipped = np.maximum(np.maximum(red, green), blue) >= _CLIPPED
    return np.count_nonzero(is_clipped & is_shown) / n_shown


def _sharpness(grey: NDArray[uint8]) -> float:
    if min(grey.shape) < 3:
        return float("nan")
    pixels = grey.astype(int16)
    up, down, left, right = pixels[:-2, 1:-1], pixels[2:, 1:-1], pixels[1:-1, :-2], pixels[1:-1, 2:]
    curved = _square(4 * pixels[1:-1, 1:-1] - up - down - left - right)
    sloped = _square(right - left) + _square(down - up)
    n_pixels = (grey.shape[0] - 2) * (grey.shape[1] - 2)
    if sloped < _MIN_SLOPE * n_pixels:
        return float("nan")
    curved = max(0.0, curved - _ROUNDING_CURVED * n_pixels)
    return float(np.sqrt(curved / (sloped - _ROUNDING_SLOPED * n_pixels)))


def _square(values: NDArray[int16]) -> float:
    flat = values.astype(float32).ravel()
    return float(flat @ flat)
