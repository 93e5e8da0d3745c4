"""Duplicates, near duplicates (re-encoded) and similar views among photographs.

The features propose the nearest photographs of each; the details of the pixels decide (see
`measure`).  Another view moves details by a fraction of a pixel.  A fruit after a full turn shows
the same pixels again, which only encoder settings distinguish from a copy.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy import bool_, float16, float32, int64, intp
from numpy.typing import NDArray

from spark_assets.output.findings_table import FindingKind

# Of 120 photographs of 100 x 100 pixels, each was among the 29 nearest of its re-encoded copy, at a
# cosine of 0.5 or more: JPEG and resizing change the features of small photographs much.
_N_NEAREST = 60
_MIN_COSINE = 0.4
# Correlation of the details.  Of 750 copies, JPEG quality 60 to 90, half of them resized, the
# least has 0.99963; of 40,995 pairs of other views all have less than 0.9996, 0.99958 at most.
MIN_CORRELATION = 0.9996
# The same size, format and quantization tables mean the same encoder settings, by which a copy
# changes next to nothing.  Views a full turn apart have 0.99993.
MIN_CORRELATION_SAME_SETTINGS = 0.99998
# Cosine of centred features: frames of a turning fruit up to 2 apart have 0.89 or more, and bursts
# of a phone; different fruit 0.76 at most.
MIN_COSINE_VIEW = 0.9
# Cosines of a block, 64 MB, and the order of their columns, 128 MB.
_COSINES_AT_A_TIME = 16_000_000
_ROWS_AT_A_TIME = 256

Details = NDArray[float16]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two rows with the same photograph, or nearly so.

    ``kind`` is DUPLICATE, NEAR_DUPLICATE or SIMILAR_VIEW.  ``similarity`` is 1 for the same bytes,
    the correlation of details for a near duplicate, the cosine of features for a similar view.
    """

    first: int
    second: int
    kind: FindingKind
    similarity: float


def find_duplicates(
    features: NDArray[float32],
    content_sha256: Sequence[str],
    details: Details,
    settings: NDArray[int64],
    splits: NDArray[intp] | None,
    *,
    on_rows: Callable[[int], object] = lambda n_rows: None,
) -> list[Pair]:
    """Return the pairs of photographs with the same bytes, the same pixels, or similar views.

    Parameters
    ----------
    features : (n, n_dimensions) float32
        Centred, of unit length.
    content_sha256 : n digests
    details : (n, n_pixels) float16
        Of unit length, or 0 for an unreadable photograph, which is compared by its digest.
    settings : (n,) int64
        A number for the size, format and quantization tables of each file.
    splits : (n,) int or None
        With them, all but the same bytes are searched between splits only: within one, several
        photographs of an object are useful.  Without them, no similar views.
    on_rows
        Called with the number of compared photographs, block by block.
    """
    same = list(_same_content(content_sha256, splits))
    known = {(pair.first, pair.second) for pair in same}
    found: dict[tuple[int, int], Pair] = {}
    for rows, nearest, cosines in _neighbours(features, splits):
        for pair in _classified(rows, nearest, cosines, details, settings, splits is not None):
            key = (pair.first, pair.second)
            if key not in known:
                found[key] = pair
        on_rows(len(rows))
    return [*same, *found.values()]


def _same_content(content_sha256: Sequence[str], splits: NDArray[intp] | None) -> Iterator[Pair]:
    """Yield a pair for each photograph with the bytes of an earlier one, or of split 0."""
    rows = range(len(content_sha256)) if splits is None else np.argsort(splits, kind="stable")
    first: dict[str, int] = {}
    for row in map(int, rows):
        if (earlier := first.setdefault(content_sha256[row], row)) != row:
            yield Pair(min(earlier, row), max(earlier, row), FindingKind.DUPLICATE, 1.0)


def _neighbours(
    features: NDArray[float32], splits: NDArray[intp] | None
) -> Iterator[tuple[NDArray[intp], NDArray[intp], NDArray[float32]]]:
    """Yield rows (m,), the nearest of each (m, k) and their cosines (m, k), block by block.

    With splits, the nearest are of other splits, and rows of the first one are left out: each of
    their pairs has a row of another split.
    """
    n_nearest = min(_N_NEAREST, len(features) - 1)
    if n_nearest < 1:
        return
    rows_to_compare = np.arange(len(features)) if splits is None else np.flatnonzero(splits)
    n_rows = int(np.clip(_COSINES_AT_A_TIME // len(features), 1, _ROWS_AT_A_TIME))
    for start in range(0, len(rows_to_compare), n_rows):
        rows = rows_to_compare[start : start + n_rows]
        cosines = features[rows] @ features.T
        cosines[np.arange(len(rows)), rows] = -2
        if splits is not None:
            cosines[splits[rows][:, np.newaxis] == splits] = -2
        nearest = np.argpartition(cosines, -n_nearest, axis=1)[:, -n_nearest:]
        yield rows, nearest, np.take_along_axis(cosines, nearest, axis=1)


def _classified(
    rows: NDArray[intp],
    nearest: NDArray[intp],
    cosines: NDArray[float32],
    details: Details,
    settings: NDArray[int64],
    has_splits: bool,
) -> Iterator[Pair]:
    """Yield the pairs of a block: near duplicates, or else similar views."""
    of_row, of_nearest = np.nonzero(cosines >= _MIN_COSINE)
    first, second = rows[of_row], nearest[of_row, of_nearest]
    cosine = cosines[of_row, of_nearest]
    is_same = settings[first] == settings[second]
    least = np.where(is_same, MIN_CORRELATION_SAME_SETTINGS, MIN_CORRELATION)
    correlation = _correlations(details, first, second)
    is_near = correlation >= least
    is_view = has_splits & ~is_near & (cosine >= MIN_COSINE_VIEW)
    for kind, wanted, similarity in (
        (FindingKind.NEAR_DUPLICATE, is_near, correlation),
        (FindingKind.SIMILAR_VIEW, is_view, cosine),
    ):
        for n in np.flatnonzero(wanted):
            low, high = sorted((int(first[n]), int(second[n])))
            yield Pair(low, high, kind, min(1.0, float(similarity[n])))


def _correlations(
    details: Details, first: NDArray[intp], second: NDArray[intp]
) -> NDArray[bool_] | NDArray[float32]:
    correlations = np.zeros(len(first), float32)
    for start in range(0, len(first), 4096):
        block = slice(start, start + 4096)
        some, others = (details[each[block]].astype(float32) for each in (first, second))
        correlations[block] = np.einsum("ij,ij->i", some, others)
    return correlations
