"""Accuracy on photographs of turntables and of phones, as Markdown.

``python -m studies.accuracy_2026_11 --data FOLDER`` prints tables: accuracy, speed and price by
network and size of image; what is called unknown; the accuracy by the number of phone photographs
of each fruit; what folds leave out; and how far each step from features to the label goes.
``FOLDER`` holds ``fruits-360``, ``fruits-3-body``, ``grocery`` and ``weights``;
``--cache`` keeps features.
"""

import argparse
import sys
from collections.abc import Callable, Iterable, Sequence
from itertools import product, starmap
from pathlib import Path

from benchmarks.figures import describe_machine
from benchmarks.workbench import echo
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.feature_model import IMAGE_SIZE_PX, IMAGE_SIZES_PX, FeatureModel
from studies.accuracy_2026_11 import folds, learning_curve, steps, unknown
from studies.accuracy_2026_11.measured import measure
from studies.accuracy_2026_11.sets import PHONES, Library, load_library, load_model, splits
from studies.accuracy_2026_11.table import (
    ACCURACY_HEADER,
    SPEED_HEADER,
    accuracy_row,
    markdown,
    measure_speed,
    speed_row,
)

_DEFAULT_ALPHA = 1.0
_ALPHAS = (0.35, _DEFAULT_ALPHA)
_SIZES_PX = (224, 288, 320)
ACCURACY, UNKNOWN, FOLDS, CURVE, STEPS = "accuracy", "unknown", "folds", "curve", "steps"
TABLES = (ACCURACY, UNKNOWN, FOLDS, CURVE, STEPS)

# What is loaded of one network: from alpha and size.
Load = Callable[[float, int], tuple[FeatureModel, Library]]


def compare_networks(arguments: argparse.Namespace, load: Load) -> list[str]:
    """Return the tables of accuracy, speed and unknown, a row or more for each network."""
    accuracies: list[Sequence[str]] = []
    speeds: list[Sequence[str]] = []
    unknowns: list[Sequence[str]] = []
    timed = sorted((arguments.data / "grocery/Validation").rglob("*.jpg"))
    for alpha in arguments.alphas:
        for size_px in arguments.image_sizes:
            model, library = load(alpha, size_px)
            for split in splits(library):
                if split.name != PHONES and ACCURACY not in arguments.tables:
                    continue
                echo(f"alpha {alpha:g}, {size_px} px: {split.name}")
                measured = measure(split, model.facts)
                accuracies.append(accuracy_row(measured, model.facts))
                if split.name == PHONES and UNKNOWN in arguments.tables:
                    found = unknown.refused_on_phones(measured, library, model.facts)
                    unknowns += unknown.rows_of(found, model.facts)
            if ACCURACY in arguments.tables:
                speeds.append(speed_row(measure_speed(timed, model), model.facts))
    texts = []
    if ACCURACY in arguments.tables:
        by_data = sorted(accuracies, key=lambda row: _order(accuracies, row[0]))
        texts += [markdown(ACCURACY_HEADER, by_data), markdown(SPEED_HEADER, speeds)]
    if UNKNOWN in arguments.tables:
        texts.append(markdown(unknown.HEADER, unknowns))
    return texts


def tables(arguments: argparse.Namespace) -> Iterable[str]:
    """Yield the tables that were asked for."""

    def load(alpha: float, size_px: int) -> tuple[FeatureModel, Library]:
        model = load_model(arguments.data, alpha, size_px)
        return model, load_library(arguments.data, model, arguments.cache)

    if ACCURACY in arguments.tables or UNKNOWN in arguments.tables:
        yield from compare_networks(arguments, load)
    if CURVE in arguments.tables:
        model, library = load(_DEFAULT_ALPHA, IMAGE_SIZE_PX)
        points = learning_curve.learning_curve(library, model.facts)
        rows = []
        for point in points:
            rows.append(learning_curve.row_of(point))
            echo(" | ".join(rows[-1]))
        yield markdown(learning_curve.HEADER, rows)
    if FOLDS in arguments.tables:
        clusters = folds.clusters(load(_DEFAULT_ALPHA, IMAGE_SIZE_PX)[1])
        networks = product(arguments.alphas, arguments.image_sizes)
        rows = []
        for model, library in starmap(load, networks):
            rows += folds.rows_of(library, model.facts, clusters)
        yield markdown(folds.HEADER, sorted(rows, key=lambda row: row[0], reverse=True))
    if STEPS in arguments.tables:
        rows = []
        for alpha in arguments.alphas:
            model, library = load(alpha, IMAGE_SIZE_PX)
            rows += steps.rows_of(library, model.facts)
        yield markdown(steps.HEADER, rows)


def _order(rows: Sequence[Sequence[str]], name: str) -> int:
    return [row[0] for row in rows].index(name)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="studies.accuracy_2026_11",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--cache", type=Path, default=Path("build/accuracy"), metavar="FOLDER")
    parser.add_argument("--alphas", type=float, nargs="+", default=_ALPHAS)
    parser.add_argument(
        "--image-sizes", type=int, nargs="+", choices=IMAGE_SIZES_PX, default=_SIZES_PX
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=TABLES)
    arguments = parser.parse_args(argv)
    try:
        printed = "\n\n".join(tables(arguments))
    except FruitsError as error:
        echo(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{printed}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
