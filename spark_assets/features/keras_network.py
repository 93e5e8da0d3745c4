"""The Keras network: built, filled with weights, converted; the only module with TensorFlow."""

import hashlib
import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
# TensorFlow reads its environment when it is imported.  Without a GPU, features are the same on
# every machine.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
# The user's KERAS_BACKEND and ~/.keras/keras.json are for other programs.
os.environ["KERAS_BACKEND"] = "tensorflow"

import ai_edge_litert
import keras
import tensorflow as tf

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import (
    ARCHITECTURE,
    IMAGE_SIZE_PX,
    WEIGHTS_FILE,
    FeatureModel,
    FeatureModelFacts,
    network_sha256,
)
from spark_assets.text.languages import mark

logging.getLogger("tensorflow").setLevel(logging.ERROR)
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")
keras.config.set_epsilon(1e-7)
keras.config.set_dtype_policy("float32")

_RELU6_SHIFT = 2.0
SEEDED_WARNING = mark(
    "random weights, not ImageNet's: the features represent colour and coarse texture "
    "only; do not use the results"
)


def build_network(alpha: float, image_size_px: int = IMAGE_SIZE_PX) -> keras.Model:
    """Return MobileNetV2 without its classifier, and without weights.

    It maps (n, side, side, 3) float32 in [-1, 1] to (n, n_features) float32.

    Source: Sandler et al., MobileNetV2, CVPR 2018, doi:10.1109/CVPR.2018.00474, as Keras has it.
    """
    return keras.applications.MobileNetV2(
        input_shape=(image_size_px, image_size_px, 3),
        alpha=alpha,
        include_top=False,
        weights=None,
        pooling="avg",
    )


def features_function(network: keras.Model, *, batch_size: int | None) -> Callable[..., Any]:
    """Return a compiled function: (n, side, side, 3) uint8 RGB to (n, n_features) float32.

    The result is in a dictionary, under ``features``.
    """
    shape = (batch_size, *network.input_shape[1:])

    @tf.function(input_signature=[tf.TensorSpec(shape, tf.uint8, name="pixels")])  # type: ignore[untyped-decorator]
    def features(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        scaled = tf.cast(pixels, tf.float32) / 127.5 - 1.0
        return {"features": network(scaled, training=False)}

    function: Callable[..., Any] = features
    return function


def load_weights(network: keras.Model, path: Path, *, alpha: float) -> None:
    """Fill a network from a Keras ``.weights.h5`` or ``.h5`` file.

    Raises FruitsError where the file is missing or does not fit.
    """
    if not path.is_file():
        raise FruitsError(f"the weights file {path} does not exist; give a Keras .weights.h5 file")
    try:
        with warnings.catch_warnings():
            # Weights that do not fit are raised as well.
            warnings.simplefilter("ignore")
            network.load_weights(path)
    except (ValueError, OSError, KeyError, IndexError, TypeError) as error:
        why = " ".join(str(error).split())[:300]
        raise FruitsError(
            f"the weights in {path.name} do not fit {ARCHITECTURE} with alpha {alpha:g} without "
            f"its classifier: {why}; give whole weights of that network, or another --alpha"
        ) from error


def seed_weights(network: keras.Model, *, seed: int = 0) -> None:
    """Fill a network with seeded weights that let colour and texture through.

    He-normal kernels and batch normalisation alone are chaotic: after fifty layers similar images
    are no nearer to each other than others.  Nonnegative depthwise kernels, which smooth, and a
    shift to the middle of ReLU6's linear part keep the signal: on sample photographs of ten fruits
    the nearest neighbour has the same label for half of them, and without for a tenth, by chance.
    """
    generator = np.random.default_rng(seed)
    for layer in network.layers:
        shapes = [weight.shape for weight in layer.weights]
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = (np.ones(shape) for shape in shapes)
            layer.set_weights([gamma, _RELU6_SHIFT * beta, 0.0 * mean, variance])
        elif shapes:
            (kernel,) = shapes
            depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
            fan_in = np.prod(kernel[:2] if depthwise else kernel[:3])
            values = generator.normal(0.0, np.sqrt(2.0 / fan_in), kernel)
            layer.set_weights([np.abs(values) if depthwise else values])


def calibrate(network: keras.Model, pixels: NDArray[np.uint8]) -> None:
    """Set the batch-normalisation statistics of every layer to those of sample images.

    Without it, features of seeded weights are about 1e-11.  With momentum 0, one pass in training
    mode stores the statistics of the batch in each layer and feeds the next one with what they
    normalise, which is the layer-by-layer calibration.

    Parameters
    ----------
    network : keras.Model
    pixels : (n, side, side, 3) uint8 RGB
    """
    normalisations = [
        layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)
    ]
    momenta = [layer.momentum for layer in normalisations]
    for layer in normalisations:
        layer.momentum = 0.0
    network(pixels.astype(np.float32) / 127.5 - 1.0, training=True)
    for layer, momentum in zip(normalisations, momenta, strict=True):
        layer.momentum = momentum
        # One colour everywhere has no variance, and dividing by it would blow up other images.
        mean, variance = layer.moving_mean, layer.moving_variance
        variance.assign(np.maximum(variance.numpy(), 1e-3))
        mean.assign(np.nan_to_num(mean.numpy()))


def convert(network: keras.Model) -> bytes:
    """Convert a network to a LiteRT flatbuffer: one image of uint8 RGB to float32 features.

    The scaling is part of the flatbuffer, so that a worker hands over pixels as they are decoded.
    """
    function = features_function(network, batch_size=1).get_concrete_function()  # type: ignore[attr-defined]
    # Without the network as its trackable object the converter freezes the variables; with it
    # they stay variables, and inference is six times slower.
    flatbuffer: bytes = tf.lite.TFLiteConverter.from_concrete_functions([function]).convert()
    return flatbuffer


def export(
    network: keras.Model,
    *,
    alpha: float,
    weights: str,
    weights_source: str,
    weights_file_sha256: str | None,
    warning: str | None,
) -> FeatureModel:
    """Return the feature model of a network with its weights."""
    tflite = convert(network)
    image_size_px = int(network.input_shape[1])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS_FILE
        network.save_weights(path)
        content = path.read_bytes()
    return FeatureModel(
        facts=FeatureModelFacts(
            architecture=ARCHITECTURE,
            alpha=alpha,
            image_size_px=image_size_px,
            n_features=int(network.output_shape[-1]),
            weights=weights,
            weights_source=weights_source,
            weights_file_sha256=weights_file_sha256,
            network_sha256=network_sha256(alpha, image_size_px, network.get_weights()),
            warning=warning,
            tflite_sha256=hashlib.sha256(tflite).hexdigest(),
            weights_sha256=hashlib.sha256(content).hexdigest(),
            versions={
                "tensorflow": tf.__version__,
                "keras": keras.__version__,
                "ai-edge-litert": ai_edge_litert.__version__,
            },
        ),
        tflite=tflite,
        weights=content,
    )


def read_weights(model: FeatureModel) -> tuple[NDArray[np.float32], ...]:
    """Return the weight arrays of a model, in Keras' order."""
    network = build_network(model.facts.alpha, model.facts.image_size_px)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS_FILE
        path.write_bytes(model.weights)
        network.load_weights(path)
    return tuple(network.get_weights())
