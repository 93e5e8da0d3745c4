"""Network, PCA and classifier folded into one flatbuffer.  The only module with TensorFlow here."""

from spark_assets.features import network as keras_network

import tensorflow as tf  # isort: skip - after the module that tells it to be quiet
from tensorflow.python.framework.convert_to_constants import (  # isort: skip
    convert_variables_to_constants_v2,
)

from recognition.classifier.model import N_NEIGHBORS, FruitClassifier
from spark_assets.features.feature_model import FeatureModel

PROBABILITIES, SIMILARITIES, NEIGHBORS, POINT = (
    "probabilities",
    "similarities",
    "neighbors",
    "point",
)


def fold(model: FeatureModel, classifier: FruitClassifier) -> bytes:
    """Return a LiteRT flatbuffer from pixels (1, side, side, 3) uint8 RGB to an answer.

    Its outputs, each with a first axis of 1: ``probabilities`` (n_labels,), ``similarities`` of the
    nearest known photographs and ``neighbors``, their rows, by decreasing similarity, and ``point``
    (2,).  Weights are kept as 16-bit floats, which halves the file.
    """
    network = keras_network.build_network(model.facts.alpha, model.facts.image_size_px)
    network.set_weights(list(keras_network.read_weights(model)))
    pca, logistic, known = classifier.pca, classifier.logistic, classifier.known
    components = tf.constant(pca.components.T, tf.float32)
    # Centered after the projection, as `project` does.
    origin = tf.constant(pca.components @ pca.mean, tf.float32)
    coefficients = tf.constant(logistic.coefficients.T, tf.float32)
    intercepts = tf.constant(logistic.intercepts, tf.float32)
    directions = tf.constant(known.directions.T, tf.float32)
    n_neighbors = min(N_NEIGHBORS, len(known))
    side = model.facts.image_size_px
    signature = [tf.TensorSpec((1, side, side, 3), tf.uint8, name="pixels")]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def answer(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        features = network(tf.cast(pixels, tf.float32) / 127.5 - 1.0, training=False)
        reduced = tf.matmul(features, components) - origin
        direction = features / tf.maximum(tf.norm(features, axis=1, keepdims=True), 1e-30)
        nearest = tf.math.top_k(tf.matmul(direction, directions), n_neighbors)
        return {
            PROBABILITIES: tf.nn.softmax(tf.matmul(reduced, coefficients) + intercepts),
            SIMILARITIES: nearest.values,
            NEIGHBORS: nearest.indices,
            # A PCA of one component has no second coordinate.
            POINT: tf.pad(reduced[:, :2], [[0, 0], [0, max(0, 2 - pca.n_components)]]),
        }

    frozen = convert_variables_to_constants_v2(answer.get_concrete_function())
    names = sorted([PROBABILITIES, SIMILARITIES, NEIGHBORS, POINT])

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def named(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, frozen(pixels), strict=True))

    # The outputs keep their names only with an object that holds the function; one that held the
    # variables too would keep those as variables, and answer six times slower.
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [named.get_concrete_function()], tf.Module()
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    flatbuffer: bytes = converter.convert()
    return flatbuffer
