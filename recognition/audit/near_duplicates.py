"""Photographs that an output holds twice: byte for byte, encoded anew, or as a part of another.

The features say which photographs may be the same: the nearest ones of each.  They cannot say which
are: of a fruit that turns by a degree between two frames, the features differ less than those of a
photograph and a tenth of it cut off.  So the pixels decide; see `alignment`.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy import bool_, float32, intp
from numpy.typing import NDArray

from recognition.audit.alignment import (
    Thumbnails,
    at_a_glance,
    best_windows,
    part_in_whole,
    same_frame,
    windows_at_a_glance,
)

# Crops that keep 75 to 95 % of each side are all among the 60 nearest of the other split, and 95 of
# 100 among the 20 nearest; they are at most 0.25 away.
_N_NEAREST = 60
_MAX_COSINE_DISTANCE = 0.35
_ROWS_AT_A_TIME = 512
# Each takes 200 kB while it is compared.
_PAIRS_AT_A_TIME = 256
_GLANCES_AT_A_TIME = 65_536
# Copies that were encoded anew at quality 60, or at another size, have 0.9983 at least.  Of 2,010
# photographs, frames of turning fruits, 3 pairs come up to it, a full turn apart and in one split.
MIN_ALIKE_FRAME = 0.998
# The same of crops.  A fruit fills its photograph as much in one frame as in the next, to 2 or 3 %.
MIN_ALIKE_CROP, MAX_SHARE_CROP = 0.98, 0.965
# The frame before and the one after resemble a copy too; what differs twice as much is no copy.
_MAX_TIMES_WORSE, _NEVER_WORSE = 2.0, 5e-4
# At 12 x 12 pixels; a copy that was encoded anew has 0.9999 or more.
_MIN_ALIKE_GLANCE = 0.997
# Which pairs are worth the search for the exact place: 3 in 100, and 99 in 100 of the crops.
_MIN_ALIKE_COARSE, _MAX_REST_COARSE = 0.9, 0.4


class Likeness(StrEnum):
    """In what way two photographs are the same one."""

    CONTENT = "content"
    FRAME = "frame"
    CROP = "crop"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two photographs that are the same, as numbers of rows.

    ``second`` is the part where one is a crop, else the later one.  ``alike`` is 1 for the same
    bytes.  ``share`` is that of a side of ``first`` that is in ``second``, 1 for all of it.
    """

    first: int
    second: int
    likeness: Likeness
    alike: float
    share: float = 1.0


def find_duplicates(
    features: NDArray[float32],
    content_sha256: Sequence[str],
    thumbnails: Thumbnails,
    is_readable: NDArray[bool_],
    splits: NDArray[intp] | None,
) -> list[Pair]:
    """Return the pairs of photographs that are the same, byte for byte or to the eye.

    Parameters
    ----------
    features : (n, n_features) float32
    content_sha256 : n digests
    thumbnails : (n, 64, 64) uint8
        Grey, the whole photograph squeezed to a square; any value where it is not readable.
    is_readable : (n,) bool
        Whether there is a thumbnail: others are compared byte for byte.
    splits : (n,) int or None
        With them, pairs that are alike to the eye are sought between splits only: within one, a
        second photograph of an object is wanted more often than not.
    """
    exact = list(_same_content(content_sha256, splits))
    known = {tuple(sorted((pair.first, pair.second))) for pair in exact}
    candidates = _candidates(features, is_readable, splits)
    candidates = np.array([pair for pair in candidates.tolist() if tuple(pair) not in known], intp)
    if not len(candidates):
        return exact
    return [*exact, *_best_of_each(_same_to_the_eye(thumbnails, candidates))]


def _same_content(content_sha256: Sequence[str], splits: NDArray[intp] | None) -> Iterator[Pair]:
    """Yield a pair for each photograph that has the bytes of an earlier one, or of split 0."""
    rows = range(len(content_sha256)) if splits is None else np.argsort(splits, kind="stable")
    first: dict[str, int] = {}
    for row in map(int, rows):
        if (earlier := first.setdefault(content_sha256[row], row)) != row:
            yield Pair(earlier, row, Likeness.CONTENT, 1.0)


def _candidates(
    features: NDArray[float32], is_readable: NDArray[bool_], splits: NDArray[intp] | None
) -> NDArray[intp]:
    """Return the pairs (n_pairs, 2), the lower row first, whose features are near."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    n_nearest = min(_N_NEAREST, len(unit) - 1)
    if n_nearest < 1:
        return np.empty((0, 2), intp)
    pairs = [np.empty((0, 2), intp)]
    for start in range(0, len(unit), _ROWS_AT_A_TIME):
        rows = np.arange(start, min(start + _ROWS_AT_A_TIME, len(unit)))
        cosine = unit[rows] @ unit.T
        cosine[np.arange(len(rows)), rows] = -2
        cosine[:, ~is_readable] = -2
        cosine[~is_readable[rows]] = -2
        if splits is not None:
            cosine[splits[rows][:, np.newaxis] == splits] = -2
        nearest = np.argpartition(-cosine, n_nearest - 1, axis=1)[:, :n_nearest]
        near = np.take_along_axis(cosine, nearest, axis=1) >= 1 - _MAX_COSINE_DISTANCE
        found = np.stack([np.repeat(rows, near.sum(axis=1)), nearest[near]], axis=1)
        pairs.append(np.sort(found, axis=1))
    return np.unique(np.concatenate(pairs), axis=0)


def _same_to_the_eye(thumbnails: Thumbnails, candidates: NDArray[intp]) -> list[Pair]:
    glances = at_a_glance(thumbnails)
    first, second = candidates.T
    alike = np.zeros(len(candidates), float32)
    for start in range(0, len(candidates), _GLANCES_AT_A_TIME):
        block = slice(start, start + _GLANCES_AT_A_TIME)
        alike[block] = np.einsum("ij,ij->i", glances[first[block]], glances[second[block]])
    near = np.flatnonzero(alike >= _MIN_ALIKE_GLANCE)
    alike[:] = 0
    for start in range(0, len(near), _PAIRS_AT_A_TIME):
        pairs = near[start : start + _PAIRS_AT_A_TIME]
        alike[pairs] = same_frame(thumbnails[first[pairs]], thumbnails[second[pairs]])
    is_frame = alike >= MIN_ALIKE_FRAME
    frames = [
        Pair(int(first[n]), int(second[n]), Likeness.FRAME, float(alike[n]))
        for n in np.flatnonzero(is_frame)
    ]
    return [*frames, *_crops(thumbnails, glances, candidates[~is_frame])]


def _best_of_each(pairs: Sequence[Pair]) -> Iterator[Pair]:
    """Yield the pairs of which neither photograph has another one that it is much more like."""
    difference_of: dict[int, float] = {}
    for pair in pairs:
        for row in (pair.first, pair.second):
            difference_of[row] = min(difference_of.get(row, 1.0), 1 - pair.alike)
    for pair in pairs:
        least = min(difference_of[pair.first], difference_of[pair.second])
        if 1 - pair.alike <= max(_MAX_TIMES_WORSE * least, _NEVER_WORSE):
            yield pair


def _crops(
    thumbnails: Thumbnails, glances: NDArray[float32], candidates: NDArray[intp]
) -> list[Pair]:
    """Return the pairs of which one photograph is a part of the other, each once."""
    wholes, parts, windows = _worth_a_search(thumbnails, glances, candidates)
    alike, share = np.zeros((2, len(wholes)), float32)
    for start in range(0, len(wholes), _PAIRS_AT_A_TIME):
        block = slice(start, start + _PAIRS_AT_A_TIME)
        alike[block], share[block] = part_in_whole(
            thumbnails[wholes[block]], thumbnails[parts[block]], windows[block]
        )
    best: dict[tuple[int, int], Pair] = {}
    for n in np.flatnonzero((alike >= MIN_ALIKE_CROP) & (share <= MAX_SHARE_CROP)):
        pair = Pair(int(wholes[n]), int(parts[n]), Likeness.CROP, float(alike[n]), float(share[n]))
        key = (min(pair.first, pair.second), max(pair.first, pair.second))
        if key not in best or best[key].alike < pair.alike:
            best[key] = pair
    return list(best.values())


def _worth_a_search(
    thumbnails: Thumbnails, glances: NDArray[float32], candidates: NDArray[intp]
) -> tuple[NDArray[intp], NDArray[intp], NDArray[intp]]:
    """Return wholes, parts and windows, (n,) each, where a part is much more like than the whole.

    Each pair is looked at in both directions.  The windows of a photograph, 150 kB, are made once
    and compared with all that it may be the whole of.
    """
    partners: dict[int, list[int]] = defaultdict(list)
    for first, second in candidates.tolist():
        partners[first].append(second)
        partners[second].append(first)
    rows = np.array(sorted(partners), intp)
    found: list[tuple[int, int, int]] = []
    for start in range(0, len(rows), 64):
        block = rows[start : start + 64].tolist()
        windows = windows_at_a_glance(thumbnails[block])
        for row, of_row in zip(block, windows, strict=True):
            parts = partners[row]
            best, alike, whole = best_windows(of_row, glances[parts])
            worth = (alike >= _MIN_ALIKE_COARSE) & (1 - alike <= _MAX_REST_COARSE * (1 - whole))
            found += [(row, parts[n], int(best[n])) for n in np.flatnonzero(worth & (best != 0))]
    wholes, parts_, starts = np.array(found, intp).reshape(-1, 3).T
    return wholes, parts_, starts
