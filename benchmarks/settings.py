"""What smaller images and whole numbers cost in accuracy, and what they save.

``python -m benchmarks.settings --train FOLDER --test FOLDER --weights FILE --alpha 0.35`` prints a
table.  The label is the folder right below each of the two: where the test has other varieties of
the same fruit, it asks for the fruit.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from benchmarks.figures import describe_machine
from benchmarks.workbench import say
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.engines import LiteRTEngine
from spark_assets.features.feature_model import IMAGE_SIZES_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits, decode_image
from spark_assets.quiet import quiet_native_stderr

EXACT, INTEGER = "float32", "8-bit integers"
_N_CALIBRATION_IMAGES = 150
_SEED = 0


@dataclass(frozen=True, slots=True, eq=False)
class Photographs:
    """Photographs as they are on disk, with the label of each."""

    contents: list[bytes]
    labels: NDArray[np.str_]

    @classmethod
    def below(cls, folder: Path) -> "Photographs":
        paths = sorted(folder.rglob("*.jpg"))
        if not paths:
            raise FruitsError(
                f"there are no .jpg files below {folder}; give a folder of photographs"
            )
        labels = [path.relative_to(folder).parts[0] for path in paths]
        return cls([path.read_bytes() for path in paths], np.array(labels))

    def pixels(self, size_px: int) -> NDArray[uint8]:
        limits = ImageLimits()
        return np.stack(
            [decode_image(each, size_px=size_px, limits=limits).pixels for each in self.contents]
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table; both accuracies are balanced over the labels."""

    name: str
    images_per_second: float
    cosine: float
    nearest: float
    logistic: float


def integer_flatbuffer(
    weights: Path, alpha: float, size_px: int, calibration: NDArray[uint8]
) -> bytes:
    """Return the network in 8-bit integers, its ranges those of some photographs."""
    with quiet_native_stderr():
        import tensorflow as tf

        from spark_assets.features import network

        net = network.build_network(alpha, size_px)
        network.load_weights(net, weights, alpha=alpha)
        signature = [tf.TensorSpec((1, size_px, size_px, 3), tf.float32)]
        function = tf.function(
            lambda pixels: {"features": net(pixels / 127.5 - 1.0, training=False)},
            input_signature=signature,
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()]
        )
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.representative_dataset = lambda: _one_by_one(calibration)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = tf.uint8
        flatbuffer: bytes = converter.convert()
    return flatbuffer


def _one_by_one(pixels: NDArray[uint8]) -> Iterator[list[NDArray[float32]]]:
    return ([each[np.newaxis].astype(float32)] for each in pixels)


def featurize(flatbuffer: bytes, pixels: NDArray[uint8]) -> tuple[NDArray[float32], float]:
    """Return the features on one thread, and images per second of the network alone."""
    with quiet_native_stderr():
        engine = LiteRTEngine(flatbuffer)
    started = time.perf_counter()
    features = engine(pixels)
    return features, len(pixels) / (time.perf_counter() - started)


def measure(train: Photographs, test: Photographs, weights: Path, alpha: float) -> list[Setting]:
    """Measure every size, as it is and in integers."""
    chosen = np.random.default_rng(_SEED).permutation(len(train.contents))[:_N_CALIBRATION_IMAGES]
    settings: list[Setting] = []
    exact: NDArray[float32] | None = None
    for size_px in sorted(IMAGE_SIZES_PX, reverse=True):
        known, unseen = train.pixels(size_px), test.pixels(size_px)
        request = FeatureModelRequest(str(weights), alpha, image_size_px=size_px)
        flatbuffers = {
            EXACT: request.obtain(verbose=False).tflite,
            INTEGER: integer_flatbuffer(weights, alpha, size_px, known[chosen]),
        }
        for precision, flatbuffer in flatbuffers.items():
            say(f"{size_px} px, {precision}")
            fitted, _ = featurize(flatbuffer, known)
            found, speed = featurize(flatbuffer, unseen)
            exact = found if exact is None else exact
            cosine = float(np.mean(cosines(found, exact)))
            nearest, logistic = (
                float(
                    balanced_accuracy_score(
                        test.labels, classifier.fit(fitted, train.labels).predict(found)
                    )
                )
                for classifier in _classifiers()
            )
            settings.append(Setting(f"{size_px} px, {precision}", speed, cosine, nearest, logistic))
    return settings


def _classifiers() -> tuple[Any, Any]:
    logistic = LogisticRegression(C=0.01, max_iter=2000)
    return KNeighborsClassifier(1), make_pipeline(StandardScaler(), logistic)


def cosines(some: NDArray[float32], others: NDArray[float32]) -> NDArray[float32]:
    """Return the cosine between each row of one matrix and that of another: (n,)."""
    lengths = np.linalg.norm(some, axis=1) * np.linalg.norm(others, axis=1)
    found: NDArray[float32] = np.sum(some * others, axis=1) / lengths
    return found


def table(settings: Sequence[Setting]) -> str:
    """Return the settings as Markdown; speeds are ratios to the first."""
    lines = [
        "| setting | images/s, one thread, network alone | nearest neighbour | logistic regression "
        "| cosine to the first |",
        "|---|---|---|---|---|",
    ]
    for each in settings:
        ratio = each.images_per_second / settings[0].images_per_second
        lines.append(
            f"| {each.name} | {each.images_per_second:.0f} ({ratio:.1f} x) | {each.nearest:.3f} "
            f"| {each.logistic:.3f} | {each.cosine:.3f} |"
        )
    return "\n".join(lines)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="benchmarks.settings", description=__doc__)
    parser.add_argument("--train", type=Path, required=True, help="folder of a folder a label")
    parser.add_argument("--test", type=Path, required=True, help="the same, other photographs")
    parser.add_argument("--weights", type=Path, required=True, help="a Keras .weights.h5")
    parser.add_argument("--alpha", type=float, default=1.0)
    arguments = parser.parse_args(argv)
    try:
        train, test = Photographs.below(arguments.train), Photographs.below(arguments.test)
        settings = measure(train, test, arguments.weights, arguments.alpha)
    except FruitsError as error:
        say(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{table(settings)}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
