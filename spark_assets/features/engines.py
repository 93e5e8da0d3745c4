"""Engines that compute features of pixels, each in one thread of a worker.

The driver broadcasts an `EngineSpec`, of which `build_engine` makes the engine in a worker.  The
number of TensorFlow's threads is in the environment of the workers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spark_assets.features.feature_model import IMAGE_SIZE_PX, FeatureModel, FeatureModelFacts
from spark_assets.runtime.suppress_output import suppress_native_stderr

Features = NDArray[np.float32]


class EngineName(StrEnum):
    """The engines that ``--engine`` takes."""

    LITERT = "litert"
    TENSORFLOW = "tensorflow"


class Engine(Protocol):
    """Computes features of a batch of at most ``batch_size`` images."""

    batch_size: int

    def __call__(self, pixels: NDArray[np.uint8]) -> Features:
        """Map (n, height, width, 3) uint8 RGB to (n, n_features) float32."""


@dataclass(frozen=True, slots=True)
class EngineSpec:
    """All that a worker needs to build an engine, without files or the Internet.

    Attributes
    ----------
    tflite : bytes
        Flatbuffer, for LiteRT.
    arrays : tuple of ndarray, float32
        Weights in Keras' order, for TensorFlow.
    """

    name: EngineName
    facts: FeatureModelFacts
    tflite: bytes = b""
    arrays: tuple[NDArray[np.float32], ...] = ()

    @property
    def engine_id(self) -> str:
        """Name under which a worker keeps the engine."""
        return f"{self.name} {self.facts.network_sha256}"


def engine_spec(model: FeatureModel, name: EngineName) -> EngineSpec:
    """Return the specification to broadcast."""
    if name is EngineName.LITERT:
        return EngineSpec(name, model.facts, tflite=model.tflite)
    with suppress_native_stderr():
        # TensorFlow takes seconds to import, which runs with LiteRT save.
        from spark_assets.features.keras_network import read_weights

        return EngineSpec(name, model.facts, arrays=read_weights(model))


def build_engine(spec: EngineSpec) -> Engine:
    """Build the engine.  Takes about 0.1 s with LiteRT and 5 s with TensorFlow."""
    with suppress_native_stderr():
        if spec.name is EngineName.LITERT:
            return LiteRTEngine(spec.tflite)
        return TensorFlowEngine(spec)


class LiteRTEngine:
    """LiteRT with XNNPACK on one thread.

    One image at a time: on one thread larger batches were no faster and need more memory.
    """

    batch_size = 1

    def __init__(self, tflite: bytes) -> None:
        # 0.1 s, which commands that only read the name of an engine save.
        from ai_edge_litert.interpreter import Interpreter

        self._interpreter = Interpreter(model_content=tflite, num_threads=1)
        self._interpreter.allocate_tensors()
        self._input = self._interpreter.get_input_details()[0]["index"]
        self._output = self._interpreter.get_output_details()[0]["index"]
        # The first call packs the weights, which prints and takes longer than the others.
        self._interpreter.invoke()

    def __call__(self, pixels: NDArray[np.uint8]) -> Features:
        """Map (n, height, width, 3) uint8 RGB to (n, n_features) float32."""
        rows = []
        for image in pixels:
            self._interpreter.set_tensor(self._input, image[np.newaxis])
            self._interpreter.invoke()
            rows.append(self._interpreter.get_tensor(self._output)[0])
        return np.stack(rows)


class TensorFlowEngine:
    """The Keras network rebuilt from broadcast weights: the reference, and the slower one."""

    batch_size = 32

    def __init__(self, spec: EngineSpec) -> None:
        # TensorFlow, as above.
        from spark_assets.features.keras_network import build_network, features_function

        # As many pixels as 32 images of the default size: 32 of 384 take 2.1 GiB, and of 224 1.2.
        area = max(1.0, (spec.facts.image_size_px / IMAGE_SIZE_PX) ** 2)
        self.batch_size = int(TensorFlowEngine.batch_size / area)
        network = build_network(spec.facts.alpha, spec.facts.image_size_px)
        network.set_weights(list(spec.arrays))
        self._function = features_function(network, batch_size=None)

    def __call__(self, pixels: NDArray[np.uint8]) -> Features:
        """Map (n, height, width, 3) uint8 RGB to (n, n_features) float32."""
        features: Features = self._function(pixels)["features"].numpy()
        return features
