"""What smaller images and cheaper numbers cost in accuracy, and what they save.

``python -m benchmarks.settings --train FOLDER --test FOLDER --weights FILE --alpha 0.35`` prints a
table.  The label is the folder right below each of the two: where the test has other varieties of
the same fruit, it asks for the fruit.
"""

import argparse
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
from operations.costs.configured import default_cluster
from operations.costs.prices import load_prices
from operations.costs.runs import Work, estimate_run
from operations.costs.speed import load_speed
from spark_assets.errors import ExitCode, FruitsError
from spark_assets.features.engines import LiteRTEngine
from spark_assets.features.feature_model import IMAGE_SIZE_PX, IMAGE_SIZES_PX
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits, decode_image
from spark_assets.runtime.quiet import quiet_native_stderr

EXACT, HALF, INTEGER = "float32", "16-bit floats", "8-bit integers"
_N_CALIBRATION_IMAGES = 150
_SEED = 0
_A_MILLION = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Photographs:
    """Photographs as they are on disk, with the label and the object of each.

    The label is the folder right below the one that was given, the object the folder that holds it.
    """

    contents: list[bytes]
    labels: NDArray[np.str_]
    objects: NDArray[np.str_]

    @classmethod
    def below(cls, folder: Path) -> "Photographs":
        paths = sorted(folder.rglob("*.jpg"))
        if not paths:
            raise FruitsError(
                f"there are no .jpg files below {folder}; give a folder of photographs"
            )
        labels = [path.relative_to(folder).parts[0] for path in paths]
        objects = [str(path.parent) for path in paths]
        return cls([path.read_bytes() for path in paths], np.array(labels), np.array(objects))

    def without(self, others: "Photographs") -> "Photographs":
        """Return those that are not among others byte for byte; say how many are."""
        known = set(others.contents)
        rows = [row for row, content in enumerate(self.contents) if content not in known]
        if len(rows) < len(self.contents):
            say(f"{len(self.contents) - len(rows)} copies of training photographs are left out")
        return Photographs(
            [self.contents[row] for row in rows], self.labels[rows], self.objects[rows]
        )

    def pixels(self, size_px: int) -> NDArray[uint8]:
        limits = ImageLimits()
        return np.stack(
            [decode_image(each, size_px=size_px, limits=limits).pixels for each in self.contents]
        )


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the table; both accuracies are balanced over the labels.

    ``images_per_second`` is that of the network alone on one thread, ``with_decoding`` that of the
    decoder and the network.
    """

    name: str
    images_per_second: float
    with_decoding: float
    cosine: float
    nearest: float
    logistic: float


def cheaper_flatbuffer(
    weights: Path, alpha: float, size_px: int, calibration: NDArray[uint8] | None
) -> bytes:
    """Return the network in 8-bit integers, its ranges those of some photographs.

    Without photographs, its weights alone are smaller: 16-bit floats.
    """
    with quiet_native_stderr():
        import tensorflow as tf

        from spark_assets.features import network

        net = network.build_network(alpha, size_px)
        network.load_weights(net, weights, alpha=alpha)
        # The converter itself makes the input of the integers uint8, from one of floats.
        kind = tf.uint8 if calibration is None else tf.float32
        function = tf.function(
            lambda pixels: {
                "features": net(tf.cast(pixels, tf.float32) / 127.5 - 1.0, training=False)
            },
            input_signature=[tf.TensorSpec((1, size_px, size_px, 3), kind)],
        )
        converter = tf.lite.TFLiteConverter.from_concrete_functions(
            [function.get_concrete_function()]
        )
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if calibration is None:
            converter.target_spec.supported_types = [tf.float16]
        else:
            converter.representative_dataset = lambda: _one_by_one(calibration)
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = tf.uint8
        flatbuffer: bytes = converter.convert()
    return flatbuffer


def _one_by_one(pixels: NDArray[uint8]) -> Iterator[list[NDArray[float32]]]:
    return ([each[np.newaxis].astype(float32)] for each in pixels)


def featurize(flatbuffer: bytes, pixels: NDArray[uint8]) -> tuple[NDArray[float32], float]:
    """Return the features on one thread, and images per second of the network alone.

    By processor time: other programs on the machine halve the rate by the clock, and not this.
    """
    with quiet_native_stderr():
        engine = LiteRTEngine(flatbuffer)
    started = time.process_time()
    features = engine(pixels)
    return features, len(pixels) / (time.process_time() - started)


def measure(
    train: Photographs,
    test: Photographs,
    weights: Path,
    alpha: float,
    sizes_px: Sequence[int] = IMAGE_SIZES_PX,
) -> list[Setting]:
    """Measure some sizes, as they are and with cheaper numbers; the default size, if any, first."""
    chosen = np.random.default_rng(_SEED).permutation(len(train.contents))[:_N_CALIBRATION_IMAGES]
    settings: list[Setting] = []
    exact: NDArray[float32] | None = None
    for size_px in sorted(sizes_px, key=lambda size_px: (size_px != IMAGE_SIZE_PX, -size_px)):
        known = train.pixels(size_px)
        started = time.process_time()
        unseen = test.pixels(size_px)
        decode_s = (time.process_time() - started) / len(unseen)
        request = FeatureModelRequest(str(weights), alpha, image_size_px=size_px)
        flatbuffers = {
            EXACT: request.obtain(verbose=False).tflite,
            HALF: cheaper_flatbuffer(weights, alpha, size_px, None),
            INTEGER: cheaper_flatbuffer(weights, alpha, size_px, known[chosen]),
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
            with_decoding = 1 / (1 / speed + decode_s)
            name = f"{size_px} px, {precision}"
            settings.append(Setting(name, speed, with_decoding, cosine, nearest, logistic))
    return settings


def usd_per_million(images_per_second: float) -> float:
    """Return what a million such photographs would cost on the default cluster, at this speed.

    As ``fruits cost`` estimates it, with what one thread did here: Spark takes nothing of it that
    can be measured.
    """
    speed, prices = load_speed(), load_prices()
    small, large = speed.photographs
    rate = replace(small.images_per_second, value=images_per_second)
    here = replace(speed, photographs=(replace(small, images_per_second=rate), large))
    work = Work(_A_MILLION, small.megapixels)
    return estimate_run(work, default_cluster(), prices, here).usd_per_million


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
        "| setting | images/s, one thread, network alone | with decoding | USD per million "
        "| nearest neighbour | logistic regression | cosine to the first |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in settings:
        ratio = each.images_per_second / settings[0].images_per_second
        lines.append(
            f"| {each.name} | {each.images_per_second:.0f} ({ratio:.1f} x) "
            f"| {each.with_decoding:.0f} | {usd_per_million(each.with_decoding):.2f} "
            f"| {each.nearest:.3f} | {each.logistic:.3f} | {each.cosine:.3f} |"
        )
    return "\n".join(lines)


def train_and_test(prog: str, description: str | None) -> argparse.ArgumentParser:
    """Return the parser of a benchmark that fits on one folder and asks about another."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--train", type=Path, required=True, help="folder of a folder a label")
    parser.add_argument("--test", type=Path, required=True, help="the same, other photographs")
    parser.add_argument("--weights", type=Path, required=True, help="a Keras .weights.h5")
    parser.add_argument("--alpha", type=float, default=1.0)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = train_and_test("benchmarks.settings", __doc__)
    parser.add_argument(
        "--image-sizes", type=int, nargs="+", choices=IMAGE_SIZES_PX, default=IMAGE_SIZES_PX
    )
    arguments = parser.parse_args(argv)
    try:
        train = Photographs.below(arguments.train)
        test = Photographs.below(arguments.test).without(train)
        settings = measure(train, test, arguments.weights, arguments.alpha, arguments.image_sizes)
    except FruitsError as error:
        say(str(error))
        return ExitCode.FAILED
    print(f"{describe_machine()}\n\n{table(settings)}")
    return ExitCode.DONE


if __name__ == "__main__":
    sys.exit(main())
