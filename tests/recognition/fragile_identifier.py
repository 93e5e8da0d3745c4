"""An identifier that fails as decoders with faults do; a worker imports it in half a second."""

import os
import time
from pathlib import Path

from recognition.classifier.fruit_classifier import Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS, Identifier
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits


class FragileIdentifier(Identifier):
    """Decodes a photograph, and gives its mean brightness as a probability."""

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        name, _, path = content.partition(b" ")
        if name == b"sleep":
            Path(os.fsdecode(path)).touch()
            time.sleep(600)
        if content == b"crash":
            os.abort()
        if content == b"fault":
            raise ZeroDivisionError
        brightness = decode_image(content, size_px=32, limits=limits).pixels.mean() / 255
        return Prediction(
            label=None,
            top_label="a",
            probability=float(brightness),
            known_score=0.0,
            neighbors=[],
            point=(0.0, 0.0),
        )


class BrokenIdentifier(FragileIdentifier):
    """Cannot be unpickled."""

    def __setstate__(self, state: object) -> None:
        os._exit(1)

    def __getstate__(self) -> object:
        return "not empty"
