"""The split of each photograph, by its path: training, test, validation."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy import intp
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.images.labels import groups_of

_TRAINING = ("train", "training")
_NAMES = frozenset({*_TRAINING, "test", "testing", "validation", "valid", "val", "dev"})
NO_SPLIT = "(none)"


@dataclass(frozen=True, slots=True, eq=False)
class Splits:
    """Photographs by split.

    ``number`` is (n,): the position of each photograph's split in ``names``, of which the first
    is the training split.
    """

    names: list[str]
    number: NDArray[intp]

    def n_by_name(self) -> dict[str, int]:
        """Return the number of photographs of each split."""
        return {name: int(np.sum(self.number == n)) for n, name in enumerate(self.names)}


def split_photographs(paths: Sequence[str], expression: str | None) -> Splits | None:
    """Return the splits of photographs, or None where all are in one.

    The first group of ``expression`` (RE2) in a path names its split.  Without an expression, the
    first folder does, where another one is below it and its name is that of a split.  Raises
    FruitsError for an invalid expression, or one that leaves all photographs in one split.
    """
    if expression is None:
        named = _first_folders(paths)
    else:
        named = groups_of(paths, expression, "--split-regex")
    names = [name or NO_SPLIT for name in named]
    if len(set(names)) < 2:
        if expression is None:
            return None
        raise FruitsError(
            f"--split-regex {expression!r} puts all {len(paths)} photographs in one split; give an "
            "expression whose first group in a path names the split, such as '^([^/]+)/'"
        )
    return _splits(names)


def _first_folders(paths: Sequence[str]) -> list[str | None]:
    parts = (path.split("/") for path in paths)
    return [
        folder if more and folder.lower() in _NAMES else None
        for folder, more in ((part[0], len(part) > 2) for part in parts)
    ]


def _splits(names: Sequence[str]) -> Splits:
    """Return splits with the training split first: by its name, or else the largest."""
    n_of = Counter(names)
    ordered = sorted(n_of, key=lambda name: (name.lower() not in _TRAINING, -n_of[name], name))
    number = {name: n for n, name in enumerate(ordered)}
    return Splits(ordered, np.array([number[name] for name in names], intp))
