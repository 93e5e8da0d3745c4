"""The quality of a photograph: exposure, sharpness, resolution, and the defects they make.

All but the resolution is measured on one decoding, reduced to 100 to 200 pixels of the shorter
side: a blur that is invisible there costs a network of 224 pixels no accuracy, and an enlargement
is undone.
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
MAX_UNDEREXPOSED = 110
# Of well exposed photographs, 1 in 100 has a tenth of the subject clipped, by highlights.
MIN_CLIPPED = 0.2
# Of 720 photographs that a Gaussian of 1 to 3 % of the shorter side has blurred, 1 in 50 has more
# than 0.33.  The sharp photographs with the least are dark cherries, whose smooth skin and cut-out
# outline leave 0.37.
MAX_BLURRED = 0.36
# Enlarged to 224 pixels, each pixel makes 12.
MIN_SIDE_PX = 64
_WHITE, _CLIPPED = 240, 253
# With less that is not white, the whole photograph is overexposed.
_MIN_SUBJECT = 0.005
# Mean square of differences of grey values below which there is no edge to judge: noise of one grey
# value alone makes 4.
_MIN_SLOPE = 6.0
# The same of the rounding to whole grey values, whose variance is 1/12: of the Laplacian (weights 4
# and -1) and of the two differences.
_ROUNDING_CURVED, _ROUNDING_SLOPED = 20 / 12, 4 / 12


@dataclass(frozen=True, slots=True)
class Quality:
    """Measurements of one photograph.

    Attributes
    ----------
    width, height : int
        In pixels, upright.
    brightest : int
        The 99th percentile of the grey values, 0 to 255.
    clipped : float
        The share of the subject (what is not white) with a colour at its end.
    sharpness : float
        Root-mean-square of the Laplacian over that of the gradient: it falls with the width of
        edges, and does not depend on contrast.  NaN without any edge.
    """

    width: int
    height: int
    brightest: int
    clipped: float
    sharpness: float


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect, its severity from 0 to 1, and the measurement in words."""

    kind: FindingKind
    score: float
    detail: str


def reduced(image: Image.Image) -> Image.Image:
    """Return an image of 100 to 200 pixels of the shorter side, or of fewer where it has fewer."""
    factor = min(image.size) // MEASURED_PX
    return image if factor < 2 else image.reduce(factor)


def measure_quality(image: Image.Image, size: tuple[int, int]) -> Quality:
    """Return the quality of an RGB image that is `reduced` from ``size``, (width, height)."""
    grey = image.convert("L")
    return Quality(*size, _brightest(grey), _clipped(image), _sharpness(np.asarray(grey)))


def defects(quality: Quality) -> Iterator[Defect]:
    """Yield the defects of a photograph."""
    side = min(quality.width, quality.height)
    if side < MIN_SIDE_PX:
        yield Defect(
            FindingKind.LOW_RESOLUTION,
            1 - side / MIN_SIDE_PX,
            f"low resolution: {quality.width} x {quality.height} px "
            f"(threshold {MIN_SIDE_PX} a side)",
        )
    if quality.brightest < MAX_UNDEREXPOSED:
        yield Defect(
            FindingKind.UNDEREXPOSED,
            1 - quality.brightest / 255,
            f"underexposed: 99th percentile of luminance {quality.brightest} "
            f"(threshold {MAX_UNDEREXPOSED})",
        )
    if quality.clipped > MIN_CLIPPED:
        yield Defect(
            FindingKind.OVEREXPOSED,
            quality.clipped,
            f"overexposed: {quality.clipped:.0%} of the subject is clipped "
            f"(threshold {MIN_CLIPPED:.0%})",
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


def _clipped(image: Image.Image) -> float:
    """Return the clipped share of what is not white, by every fourth pixel."""
    red, green, blue = np.ascontiguousarray(np.asarray(image)[::2, ::2].transpose(2, 0, 1))
    is_subject = np.minimum(np.minimum(red, green), blue) < _WHITE
    n_subject = np.count_nonzero(is_subject)
    if n_subject <= _MIN_SUBJECT * is_subject.size:
        return 1.0
    is_clipped = np.maximum(np.maximum(red, green), blue) >= _CLIPPED
    return np.count_nonzero(is_clipped & is_subject) / n_subject


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
