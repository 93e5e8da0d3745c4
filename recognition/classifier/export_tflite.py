"""Export of network, PCA and classifier as one flatbuffer: the only module here with TensorFlow."""

from collections.abc import Callable

import numpy as np

from spark_assets.features import keras_network

import tensorflow as tf  # isort: skip - after the module that sets its log level
from tensorflow.python.framework.convert_to_constants import (  # isort: skip
    convert_variables_to_constants_v2,
)

from recognition.classifier.fruit_classifier import N_NEIGHBORS, FruitClassifier
from spark_assets.features.feature_model import FeatureModel

PROBABILITIES, KNOWN_SCORE, SIMILARITIES, NEIGHBORS, POINT, VARIETY_PROBABILITIES = (
    "probabilities",
    "known_score",
    "similarities",
    "neighbors",
    "point",
    "variety_probabilities",
)
# Finite as a 16-bit float, and 0 as an exponential.
_NEVER = -6e4


def export_tflite(model: FeatureModel, classifier: FruitClassifier) -> bytes:
    """Return a LiteRT flatbuffer from pixels (1, side, side, 3) uint8 RGB to a prediction.

    The mirror image is made inside.  Weights are 16-bit floats, which halves the file.

    Returns
    -------
    bytes
        Its outputs, each with a first axis of 1: ``probabilities`` (n_labels,); ``known_score``
        (); ``neighbors``, rows of the nearest reference photographs, and their ``similarities``,
        decreasing; ``point`` (2,); with varieties ``variety_probabilities`` (n_varieties,), whose
        sum over the varieties of a label is the label's probability.
    """
    network = keras_network.build_network(model.facts.alpha, model.facts.image_size_px)
    network.set_weights(list(keras_network.read_weights(model)))
    pca, linear, detector = classifier.pca, classifier.linear, classifier.unknown_detector
    components = tf.constant(pca.components[:2].T, tf.float32)
    # Centered after the projection, as `project` does.
    origin = tf.constant(pca.components[:2] @ pca.mean, tf.float32)
    coefficients = tf.constant(linear.coefficients.T, tf.float32)
    intercepts = tf.constant(linear.intercepts, tf.float32)
    mean, axes = tf.constant(detector.mean), tf.constant(detector.axes)
    reference = tf.constant(classifier.reference.vectors.T, tf.float32)
    n_neighbors = min(N_NEIGHBORS, len(classifier.reference))
    joint = _joint_probabilities(classifier)
    side = model.facts.image_size_px
    signature = [tf.TensorSpec((1, side, side, 3), tf.uint8, name="pixels")]

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def predict(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        views = tf.concat([pixels, tf.reverse(pixels, axis=[2])], axis=0)
        features = network(tf.cast(views, tf.float32) / 127.5 - 1.0, training=False)
        roots = _unit_rows(tf.sqrt(tf.maximum(features, 0.0)))
        vector = _unit_rows(roots[:1] + roots[1:])
        logits = tf.matmul(vector, coefficients) + intercepts
        centered = vector - mean
        square = tf.reduce_sum(centered**2, 1) - tf.reduce_sum(tf.matmul(centered, axes) ** 2, 1)
        distance = tf.sqrt(tf.maximum(square, 0.0))
        nearest = tf.math.top_k(tf.matmul(vector, reference), n_neighbors)
        probabilities = tf.nn.softmax(logits)
        varieties = {VARIETY_PROBABILITIES: joint(vector, probabilities)} if joint else {}
        return varieties | {
            PROBABILITIES: probabilities,
            KNOWN_SCORE: tf.reduce_logsumexp(logits, axis=1) - detector.weight * distance,
            SIMILARITIES: nearest.values,
            NEIGHBORS: nearest.indices,
            # A PCA of one component has no second coordinate.
            POINT: tf.pad(
                tf.matmul(features[:1], components) - origin,
                [[0, 0], [0, max(0, 2 - pca.n_components)]],
            ),
        }

    frozen = convert_variables_to_constants_v2(predict.get_concrete_function())
    varieties = [VARIETY_PROBABILITIES] if joint else []
    names = sorted([PROBABILITIES, KNOWN_SCORE, SIMILARITIES, NEIGHBORS, POINT, *varieties])

    @tf.function(input_signature=signature)  # type: ignore[untyped-decorator]
    def named(pixels: tf.Tensor) -> dict[str, tf.Tensor]:
        return dict(zip(names, frozen(pixels), strict=True))

    # The outputs keep their names only with an object that holds the function; one that held the
    # variables too would keep those as variables, and run six times slower.
    converter = tf.lite.TFLiteConverter.from_concrete_functions(
        [named.get_concrete_function()], tf.Module()
    )
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    flatbuffer: bytes = converter.convert()
    return flatbuffer


def _joint_probabilities(
    classifier: FruitClassifier,
) -> Callable[[tf.Tensor, tf.Tensor], tf.Tensor] | None:
    """Return `VarietyClassifier.probabilities` in TensorFlow, from vectors and probabilities."""
    varieties = classifier.varieties
    if varieties is None:
        return None
    label_codes = varieties.known.label_codes(classifier.linear.labels)
    present = np.unique(label_codes)
    mask = tf.constant(np.where(label_codes == present[:, np.newaxis], 0.0, _NEVER), tf.float32)
    coefficients = tf.constant(varieties.linear.coefficients.T, tf.float32)
    intercepts = tf.constant(varieties.linear.intercepts, tf.float32)

    def joint(vectors: tf.Tensor, probabilities: tf.Tensor) -> tf.Tensor:
        logits = tf.matmul(vectors, coefficients) + intercepts
        # A row for each label, 0 where a variety is another label's.
        return tf.matmul(tf.gather(probabilities, present, axis=1), tf.nn.softmax(logits + mask))

    return joint


def _unit_rows(rows: tf.Tensor) -> tf.Tensor:
    return rows / tf.maximum(tf.norm(rows, axis=1, keepdims=True), 1e-30)
