"""How often the classifier calls known fruit unknown, and what is no known fruit.

``python -m benchmarks.unknown --photographs FOLDER --weights FILE --alpha 0.35`` prints a table.
``FOLDER`` has ``Training`` and ``Test``, and in each a folder of a label, or of a label and an
object.  Pictures without fruit are crops of the three photographs that scikit-learn and matplotlib
bring with them: a temple, a flower and a portrait.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import cbook
from numpy import float32
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_sample_images

from benchmarks.figures import describe_machine
from benchmarks.settings import Photographs, featurize
from benchmarks.workbench import say
from recognition.classifier.fitting import MAX_KNOWN
from recognition.classifier.known import directions_of, evenly_by_label, similarity_floor
from recognition.evaluation.folds import Rows
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.features.weights import FeatureModelRequest

REFUSAL_RATE = 0.05
_N_SPLITS = 20
_CROP_SIDES_PX = (100, 160, 240, 400)
_KNOWN_SHARE = 2 / 3


@dataclass(frozen=True, slots=True, eq=False)
class Featurized:
    """Features (n, n_features), and the label and the object of each."""

    features: NDArray[float32]
    labels: NDArray[np.str_]
    objects: NDArray[np.str_]

    def take(self, rows: Rows | NDArray[np.bool_]) -> "Featurized":
        return Featurized(self.features[rows], self.labels[rows], self.objects[rows])


@dataclass(frozen=True, slots=True)
class Refused:
    """Shares that are called unknown."""

    known: float
    left_out: float
    without_fruit: float


def pictures_without_fruit(size_px: int) -> NDArray[np.uint8]:
    """Return crops of photographs without fruit, (n, size_px, size_px, 3)."""
    photographs = [Image.fromarray(each) for each in load_sample_images().images]
    portrait = cbook.get_sample_data("grace_hopper.jpg", asfileobj=False)
    photographs.append(Image.open(str(portrait)).convert("RGB"))
    crops = [
        photograph.crop((left, top, left + side, top + side))
        for photograph in photographs
        for side in _CROP_SIDES_PX
        for top in range(0, photograph.height - side, side)
        for left in range(0, photograph.width - side, side)
    ]
    square = (size_px, size_px)
    return np.stack([np.asarray(crop.resize(square, Image.Resampling.BICUBIC)) for crop in crops])


def refused(
    known: Featurized, new: NDArray[float32], *, by_object: bool, refusal_rate: float = REFUSAL_RATE
) -> float:
    """Return the share of new photographs that a classifier of known ones would call unknown."""
    names = [str(row) for row in range(len(known.labels))]
    objects = known.objects.tolist() if by_object else names
    rows = evenly_by_label(names, known.labels.tolist(), MAX_KNOWN)
    floor = similarity_floor(known.features, objects, rows, refusal_rate=refusal_rate)
    nearest = directions_of(new) @ directions_of(known.features[rows]).T
    return float(np.mean(nearest.max(axis=1) < floor))


def refused_of(
    known: Featurized, new: Featurized, others: NDArray[float32], *, by_object: bool
) -> Refused:
    """Return the shares of known fruit, of fruit that was left out, and of other pictures."""
    of_left_out = [
        refused(
            known.take(known.labels != label),
            new.features[new.labels == label],
            by_object=by_object,
        )
        for label in np.unique(new.labels)
    ]
    return Refused(
        refused(known, new.features, by_object=by_object),
        float(np.mean(of_left_out)),
        refused(known, others, by_object=by_object),
    )


def over_random_splits(photographs: Featurized, others: NDArray[float32]) -> Refused:
    """Return the mean over random splits: photographs of which each could be another."""
    n_known = round(_KNOWN_SHARE * len(photographs.labels))
    each = []
    for seed in range(_N_SPLITS):
        rows = np.random.default_rng(seed).permutation(len(photographs.labels))
        known, new = photographs.take(rows[:n_known]), photographs.take(rows[n_known:])
        each.append(refused_of(known, new, others, by_object=False))
    return Refused(
        *(
            float(np.mean([getattr(one, name) for one in each]))
            for name in ("known", "left_out", "without_fruit")
        )
    )


def measure(training: Featurized, test: Featurized, others: NDArray[float32]) -> dict[str, Refused]:
    """Measure both ways to draw the line, and both ways to choose what is new."""
    both = Featurized(
        np.concatenate([training.features, test.features]),
        np.concatenate([training.labels, test.labels]),
        np.concatenate([training.objects, test.objects]),
    )
    rows = {"photographs drawn at random": over_random_splits(both, others)}
    rows["of the test folder"] = refused_of(training, test, others, by_object=False)
    if len(set(training.objects)) > len(set(training.labels)):
        found = refused_of(training, test, others, by_object=True)
        rows["of the test folder, the line drawn by object"] = found
    return rows


def featurized(photographs: Photographs, flatbuffer: bytes) -> Featurized:
    """Return the features of photographs."""
    features, _ = featurize(flatbuffer, photographs.pixels(IMAGE_SIZE_PX))
    return Featurized(features, photographs.labels, photographs.objects)


def training_and_test(folder: Path) -> tuple[Photographs, Photographs]:
    """Return the photographs of both splits, without what the test shares with the training."""
    training = Photographs.below(folder / "Training")
    return training, Photographs.below(folder / "Test").without(training)


def table(rows: dict[str, Refused]) -> str:
    """Return the shares as Markdown."""
    lines = [
        "| new photographs | known fruit refused | left-out fruit refused | pictures without fruit "
        "refused |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {100 * one.known:.1f} % | {100 * one.left_out:.1f} % "
        f"| {100 * one.without_fruit:.1f} % |"
        for name, one in rows.items()
    ]
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.unknown", description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--weights", type=Path, required=True, help="a Keras .weights.h5")
    parser.add_argument("--alpha", type=float, default=1.0)
    arguments = parser.parse_args(argv)
    try:
        request = FeatureModelRequest(str(arguments.weights), arguments.alpha)
        flatbuffer = request.obtain(verbose=False).tflite
        training, test = (
            featurized(each, flatbuffer) for each in training_and_test(arguments.photographs)
        )
        others, _ = featurize(flatbuffer, pictures_without_fruit(IMAGE_SIZE_PX))
        rows = measure(training, test, others)
    except FruitsError as error:
        say(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{table(rows)}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
