"""The plain script: what many would write without Spark, and the measure for a few photographs.

Keras builds the network and predicts in batches; the features go to one Parquet file.  It checks
nothing, keeps no account of what it could not read, and cannot go on where it was interrupted.
"""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

IMAGE_SIZE_PX = 224
BATCH_SIZE = 64


def featurize(images: Path, weights: Path, alpha: float, output: Path) -> None:
    """Write ``path``, ``label`` and ``features`` of every JPEG below a folder."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from tensorflow.keras.applications.mobilenet_v2 import MobileNetV2, preprocess_input

    network = MobileNetV2(
        include_top=False,
        weights=None,
        alpha=alpha,
        pooling="avg",
        input_shape=(IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3),
    )
    network.load_weights(weights)
    paths = sorted(images.rglob("*.jpg"))
    features = []
    for start in range(0, len(paths), BATCH_SIZE):
        batch = np.stack([_pixels(path) for path in paths[start : start + BATCH_SIZE]])
        features.append(network.predict(preprocess_input(batch), verbose=0))
    table = pa.table(
        {
            "path": [str(path.relative_to(images)) for path in paths],
            "label": [path.parent.name for path in paths],
            "features": list(np.concatenate(features)),
        }
    )
    output.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, output / "features.parquet")


def _pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        square = image.convert("RGB").resize(
            (IMAGE_SIZE_PX, IMAGE_SIZE_PX), Image.Resampling.BICUBIC
        )
    return np.asarray(square, dtype=np.float32)


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks.plain_script", description=__doc__)
    parser.add_argument("--images", type=Path, required=True, help="folder of JPEG photographs")
    parser.add_argument("--weights", type=Path, required=True, help="Keras .weights.h5 without top")
    parser.add_argument("--output", type=Path, required=True, help="folder for the table")
    parser.add_argument("--alpha", type=float, default=1.0, help="width of the network")
    arguments = parser.parse_args(argv)
    featurize(arguments.images, arguments.weights, arguments.alpha, arguments.output)


if __name__ == "__main__":
    main()
