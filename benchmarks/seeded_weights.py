"""Seeded MobileNetV2 weights: the speed of a network does not depend on what it has learned."""

from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.photographs import SEED, SMALL_SIZE_PX, draw_fruit
from spark_assets.runtime.suppress_output import suppress_native_stderr

IMAGE_SIZE_PX = 224
_N_CALIBRATION_IMAGES = 16


def seeded_weights(folder: Path, *, alpha: float) -> Path:
    """Return a Keras ``.weights.h5`` of MobileNetV2 without top, made from a seed.

    The batch normalisations hold the statistics of drawn photographs: with their initial values
    the signal fades layer by layer to 1e-11, and no two ways of computing it can be compared.
    """
    path = folder / f"mobilenet_v2_{alpha}_seeded.weights.h5"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"unfinished_{path.name}"
        with suppress_native_stderr():
            _calibrated_network(alpha).save_weights(unfinished)
        unfinished.rename(path)
    return path


def _calibrated_network(alpha: float) -> Any:  # noqa: ANN401 - Keras ships no types
    import tensorflow as tf

    tf.keras.utils.set_random_seed(SEED)
    network = tf.keras.applications.MobileNetV2(
        include_top=False,
        weights=None,
        alpha=alpha,
        pooling="avg",
        input_shape=(IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3),
    )
    for layer in network.layers:
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            # With momentum 0, one pass in training mode stores each layer's own batch statistics.
            layer.momentum = 0.0
    rng = np.random.default_rng(SEED)
    images = np.stack([draw_fruit(rng, SMALL_SIZE_PX) for _ in range(_N_CALIBRATION_IMAGES)])
    resized = tf.image.resize(images, (IMAGE_SIZE_PX, IMAGE_SIZE_PX))
    network(resized / 127.5 - 1.0, training=True)
    return network
