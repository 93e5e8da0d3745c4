"""Featurizing in a few lines: the product's decoder and network, and nothing round them.

The limit and the peers share it, so that what differs between them is what surrounds it.  It needs
no more than LiteRT, numpy and what decodes.
"""

from collections.abc import Iterable

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits


class PlainFeaturizer:
    """The network of a LiteRT flatbuffer on one thread, fed image by image from files."""

    def __init__(self, model: str) -> None:
        self._interpreter = Interpreter(model_path=model, num_threads=1)
        self._interpreter.allocate_tensors()
        (inputs,) = self._interpreter.get_input_details()
        (outputs,) = self._interpreter.get_output_details()
        self._input, self._output = inputs["index"], outputs["index"]
        self._size_px = int(inputs["shape"][1])
        self._limits = ImageLimits()

    def featurize(self, path: str) -> NDArray[np.float32]:
        """Return the features of the image in a file: (n_features,)."""
        with open(path, "rb") as file:
            content = file.read()
        decoded = decode_image(content, size_px=self._size_px, limits=self._limits)
        self._interpreter.set_tensor(self._input, decoded.pixels[None])
        self._interpreter.invoke()
        features: NDArray[np.float32] = self._interpreter.get_tensor(self._output)[0]
        return features

    def featurize_batch(self, paths: Iterable[str]) -> NDArray[np.float32]:
        """Return a row for each file: (n, n_features)."""
        return np.stack([self.featurize(path) for path in paths])
