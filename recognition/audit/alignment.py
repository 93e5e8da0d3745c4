"""Whether one photograph is another one again, or a part of it, by their pixels.

A part is sought in two steps.  Windows of a photograph, of several sizes and places, are compared
with the other photograph at 12 x 12 pixels; the best one is then moved and resized to fractions of
a pixel by Gauss-Newton steps, as B. D. Lucas and T. Kanade, "An iterative image registration
technique with an application to stereo vision", IJCAI 1981, do.  Width and height are free of each
other, as thumbnails are squares whatever the photograph is.
"""

import numpy as np
from numpy import float32, intp, uint8
from numpy.typing import NDArray

SIZE_PX = 64
_COARSE_PX = 12
# Share of a side, and in how many places it is laid.
_PLACES_BY_SHARE = {1.0: 1, 0.95: 3, 0.9: 3, 0.8: 5, 0.7: 7}
# A crop may change the proportions by this much.
_MAX_PROPORTION = 1.2
# At half the size, and then at the whole where it has come to something.
_N_COARSE_STEPS, _N_FINE_STEPS = 6, 2
_MIN_ALIKE_HALVED = 0.98
_SMALLEST_SHARE = 0.6
# The details that are compared: coarser than JPEG's noise, finer than the fruit's outline.
_FINE_PX, _COARSER_PX = 1.0, 3.0
_MARGIN_PX = 3
_TINY = float32(1e-6)

Thumbnails = NDArray[uint8]
Floats = NDArray[float32]


def at_a_glance(thumbnails: Thumbnails) -> Floats:
    """Return photographs (n, 64, 64) uint8 at 12 x 12 pixels, each of unit length: (n, 144)."""
    whole = _SAMPLING[:_COARSE_PX]
    laid = _between(whole, _halved(thumbnails), whole)
    return _unit(laid.reshape(len(thumbnails), -1))


def windows_at_a_glance(thumbnails: Thumbnails) -> Floats:
    """Return their windows in the same way, (n, n_windows, 144); window 0 is the whole."""
    n_places = len(_PLACES)
    laid = _between(_SAMPLING, _halved(thumbnails), _SAMPLING)
    laid = laid.reshape(-1, n_places, _COARSE_PX, n_places, _COARSE_PX).transpose(0, 1, 3, 2, 4)
    windows = laid[:, _WINDOWS[:, 0], _WINDOWS[:, 1]]
    return _unit(windows.reshape(len(thumbnails), len(_WINDOWS), -1))


def same_frame(some: Thumbnails, others: Thumbnails) -> Floats:
    """Return how alike the details of pairs are, laid on each other as they are: (n,), at most 1.

    Both are (n, 64, 64).  A change of brightness or contrast does not count.
    """
    return _alike(_details(some.astype(float32)), _details(others.astype(float32)))


def best_windows(windows: Floats, parts: Floats) -> tuple[NDArray[intp], Floats, Floats]:
    """Return which window of a photograph is most like each of some others.

    ``windows`` are those of one, (n_windows, 144), ``parts`` the others at a glance, (n, 144).
    Returns the windows, how alike they are, and how alike the whole is: three of (n,).
    """
    alike = parts @ windows.T
    best = alike.argmax(axis=1)
    return best, alike[np.arange(len(best)), best], alike[:, 0]


def part_in_whole(
    wholes: Thumbnails, parts: Thumbnails, windows: NDArray[intp]
) -> tuple[Floats, Floats]:
    """Return how alike the details of parts and of wholes are at the best place, and its share.

    Both are (n, 64, 64), ``windows`` (n,) is where the search begins.  Returns (n,) each; the share
    is that of the shorter extent of a side, 1 where the part is the whole.
    """
    place = _PLACES[_WINDOWS[windows]].reshape(-1, 4)
    small = _halved(wholes), _halved(parts)
    for _ in range(_N_COARSE_STEPS):
        place = _within(place - _step(*small, place))
    alike, share = np.zeros(len(place), float32), np.ones(len(place), float32)
    near = np.flatnonzero(_alike(_laid(small[0], place), small[1]) >= _MIN_ALIKE_HALVED)
    if not len(near):
        return alike, share
    whole, part = (each[near].astype(float32) for each in (wholes, parts))
    smooth = _between(_FINE, whole, _FINE), _between(_FINE, part, _FINE)
    place = place[near]
    for _ in range(_N_FINE_STEPS):
        place = _within(place - _step(*smooth, place))
    alike[near] = _alike(_details(_laid(whole, place)), _details(part))
    share[near] = np.minimum(place[:, 0], place[:, 2])
    return alike, share


def _laid(wholes: Floats, place: Floats) -> Floats:
    """Return what is seen of wholes (n, px, px) through windows, at as many pixels."""
    size_px = wholes.shape[1]
    rows, columns = _interpolation(place[:, :2], size_px), _interpolation(place[:, 2:], size_px)
    return _between(rows, wholes, columns)


def _step(whole: Floats, part: Floats, place: Floats) -> Floats:
    """Return by how much share and start, of rows and then of columns, are too large: (n, 4)."""
    size_px = whole.shape[1]
    rows, columns = _interpolation(place[:, :2], size_px), _interpolation(place[:, 2:], size_px)
    row_slopes = _interpolation_slopes(place[:, :2], size_px)
    column_slopes = _interpolation_slopes(place[:, 2:], size_px)
    now, deviation = _standard(_between(rows, whole, columns))
    down = _between(row_slopes, whole, columns) / deviation
    right = _between(rows, whole, column_slopes) / deviation
    along = (np.arange(size_px, dtype=float32) + 0.5) / size_px
    slopes = np.stack([down * along[:, np.newaxis], down, right * along, right], axis=1) * size_px
    slopes = slopes.reshape(len(place), 4, -1)
    # Brightness and contrast are free, so what they explain of the slopes is none of the place's.
    flat = now.reshape(len(place), 1, -1)
    slopes = slopes - slopes.mean(axis=2, keepdims=True)
    slopes = slopes - (slopes * flat).mean(axis=2, keepdims=True) * flat
    square = slopes @ slopes.transpose(0, 2, 1)
    damping = 1e-4 * np.trace(square, axis1=1, axis2=2)[:, np.newaxis, np.newaxis] + _TINY
    error = (now - _standard(part)[0]).reshape(len(place), -1, 1)
    solved = np.linalg.solve(square + damping * np.eye(4, dtype=float32), slopes @ error)
    return np.clip(solved[:, :, 0], -0.05, 0.05)


def _within(place: Floats) -> Floats:
    """Keep windows on the photograph, but for a pixel and a half that rounding may cost."""
    share = np.clip(place[:, 0::2], _SMALLEST_SHARE, 1.04)
    start = np.clip(place[:, 1::2], -0.024, np.maximum(-0.024, 1.024 - share))
    place = np.stack([share[:, 0], start[:, 0], share[:, 1], start[:, 1]], axis=1)
    return place.astype(float32, copy=False)


def _positions(place: Floats, size_px: int) -> Floats:
    """Return where samples of windows lie on a side, as distances to its pixels: (n, px, px)."""
    pixels = np.arange(size_px, dtype=float32)
    at = (place[:, 1:] * size_px + place[:, :1] * (pixels + 0.5)) - 0.5
    distances: Floats = at[:, :, np.newaxis] - pixels
    return distances


def _interpolation(place: Floats, size_px: int) -> Floats:
    """Return the weights of cubic convolution (Keys 1981, a = -0.5) as matrices."""
    x = np.abs(_positions(place, size_px))
    near, far = (1.5 * x - 2.5) * x * x + 1, ((-0.5 * x + 2.5) * x - 4) * x + 2
    weights: Floats = np.where(x <= 1, near, np.where(x < 2, far, float32(0)))
    return weights


def _interpolation_slopes(place: Floats, size_px: int) -> Floats:
    """Return the derivatives of these weights by the position."""
    signed = _positions(place, size_px)
    x = np.abs(signed)
    near, far = (4.5 * x - 5) * x, (-1.5 * x + 5) * x - 4
    slopes: Floats = np.where(x <= 1, near, np.where(x < 2, far, float32(0))) * np.sign(signed)
    return slopes


def _details(thumbnails: Floats) -> Floats:
    details = _between(_FINE, thumbnails, _FINE) - _between(_COARSER, thumbnails, _COARSER)
    return details[:, _MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX]


def _alike(some: Floats, others: Floats) -> Floats:
    """Return the correlation of pairs."""
    flat = (_unit(each.reshape(len(each), -1)) for each in (some, others))
    alike: Floats = np.multiply(*flat).sum(axis=1)
    return alike


def _between(rows: Floats, thumbnails: Floats, columns: Floats) -> Floats:
    """Return matrices with one multiplied from the left and another, turned, from the right."""
    turned: Floats = np.swapaxes(columns, -1, -2)
    between: Floats = np.matmul(np.matmul(rows, thumbnails), turned)
    return between


def _halved(thumbnails: Thumbnails) -> Floats:
    halved: Floats = thumbnails.reshape(-1, 32, 2, 32, 2).mean((2, 4), dtype=float32)
    return halved


def _unit(rows: Floats) -> Floats:
    rows = rows - rows.mean(axis=-1, keepdims=True)
    unit: Floats = rows / (np.linalg.norm(rows, axis=-1, keepdims=True) + _TINY)
    return unit


def _standard(thumbnails: Floats) -> tuple[Floats, Floats]:
    """Return thumbnails with mean 0 and deviation 1, and their deviations."""
    deviation = thumbnails.std(axis=(1, 2), keepdims=True) + float32(1e-3)
    return (thumbnails - thumbnails.mean(axis=(1, 2), keepdims=True)) / deviation, deviation


def _places() -> Floats:
    """Return share and start of every stretch of a side, (n_places, 2)."""
    places = [
        (share, start)
        for share, n_places in _PLACES_BY_SHARE.items()
        for start in np.linspace(0, 1 - share, n_places)
    ]
    return np.array(places, float32)


def _windows(places: Floats) -> NDArray[intp]:
    """Return the pairs of stretches, of rows and columns, that make a window: (n_windows, 2)."""
    proportion = places[:, :1] / places[:, 0]
    allowed = np.maximum(proportion, 1 / proportion) <= _MAX_PROPORTION
    return np.argwhere(allowed)


def _sampling(places: Floats, n_pixels: int) -> Floats:
    """Return what lays every stretch of a side on 12 pixels: (n_places * 12, n_pixels)."""
    edges = places[:, 1:] + places[:, :1] * np.linspace(0, 1, _COARSE_PX + 1, dtype=float32)
    edges = np.clip(edges * n_pixels, 0, n_pixels)[:, :, np.newaxis]
    pixels = np.arange(n_pixels, dtype=float32)
    covered = np.clip(edges[:, 1:] - pixels, 0, 1) - np.clip(edges[:, :-1] - pixels, 0, 1)
    covered /= covered.sum(axis=2, keepdims=True)
    sampling: Floats = covered.reshape(-1, n_pixels).astype(float32)
    return sampling


def _smoothing(deviation_px: float) -> Floats:
    """Return a Gaussian blur of a side as a matrix, the edge pixel going on beyond it."""
    reach = int(3 * deviation_px + 1)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-0.5 * (offsets / deviation_px) ** 2)
    matrix = np.zeros((SIZE_PX, SIZE_PX))
    rows = np.arange(SIZE_PX)
    for offset, weight in zip(offsets, weights / weights.sum(), strict=True):
        np.add.at(matrix, (rows, np.clip(rows + offset, 0, SIZE_PX - 1)), weight)
    return matrix.astype(float32)


_PLACES = _places()
_WINDOWS = _windows(_PLACES)
_SAMPLING = _sampling(_PLACES, 32)
_FINE, _COARSER = _smoothing(_FINE_PX), _smoothing(_COARSER_PX)
