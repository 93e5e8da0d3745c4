"""What CleanVision finds below a folder, as JSON on the last line, by an interpreter that has it.

It imports nothing of this project.  The names of the kinds are those of `FindingKind`.
"""

import json
import sys
import time
from importlib import import_module
from itertools import combinations
from pathlib import Path

_KINDS = {
    "exact_duplicates": "duplicate",
    "near_duplicates": "near_duplicate",
    "dark": "underexposed",
    "light": "overexposed",
    "blurry": "blurred",
    "odd_size": "low_resolution",
}


def main(folder: Path) -> None:
    """Print the paths by kind, the pairs of each kind of duplicate, and the seconds it took."""
    started = time.perf_counter()
    lab = import_module("cleanvision").Imagelab(data_path=str(folder))
    lab.find_issues({issue: {} for issue in _KINDS}, n_jobs=1, verbose=False)
    seconds = time.perf_counter() - started
    paths, pairs = {}, {}
    for issue, kind in _KINDS.items():
        column = lab.issues[f"is_{issue}_issue"]
        paths[kind] = [_relative(path, folder) for path in column[column].index]
        if issue.endswith("_duplicates"):
            sets = lab.info[issue]["sets"]
            pairs[kind] = [
                [_relative(path, folder) for path in pair]
                for one in sets
                for pair in combinations(one, 2)
            ]
    print(json.dumps({"paths": paths, "pairs": pairs, "seconds": seconds}))


def _relative(path: str, folder: Path) -> str:
    return str(Path(path).resolve().relative_to(folder.resolve()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
