"""The name of the fruit on a photograph: network, PCA and classifier in one object.

Neither Spark nor TensorFlow is imported: what a service, or a command that answers in a second,
can afford.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy import float32
from numpy.typing import NDArray

from recognition.classifier.model import Answer, FruitClassifier
from recognition.classifier.storing import ClassifierRecord, load_classifier, load_record
from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName, EngineSpec, build_engine
from spark_assets.features.feature_model import FeatureModelFacts, load_tflite
from spark_assets.files import names_in
from spark_assets.images.decoding import ImageLimits, decode_image
from spark_assets.locations import Location
from spark_assets.output.layout import OutputLayout

_DEFAULT_LIMITS = ImageLimits()


@dataclass(frozen=True, slots=True, eq=False)
class _Parts:
    facts: FeatureModelFacts
    tflite: bytes
    classifier: FruitClassifier
    record: ClassifierRecord


class FruitIdentifier:
    """Names the fruit on photographs.  Safe to use from several threads, one photograph at a time.

    Attributes
    ----------
    classifier : FruitClassifier
    record : ClassifierRecord
        Where the classifier comes from, and how often it was right.
    """

    def __init__(self, parts: _Parts) -> None:
        self.classifier = parts.classifier
        self.record = parts.record
        self._size_px = parts.facts.image_size_px
        self._engine = build_engine(EngineSpec(EngineName.LITERT, parts.facts, parts.tflite))
        self._lock = threading.Lock()

    @classmethod
    def from_output(cls, output: Location) -> Self:
        """Load the newest classifier of an output.

        Raises FruitsError where there is none, or a file is not the one that was written.
        """
        layout = OutputLayout(output)
        model_id = _newest(layout)
        folder = layout.classifier(model_id)
        record = load_record(folder)
        assert record is not None  # that is how the newest one was found
        network = layout.feature_model(record.network_sha256)
        return cls(_load(folder, layout.pca_model(model_id), network))

    def identify(self, content: bytes, *, limits: ImageLimits = _DEFAULT_LIMITS) -> Answer:
        """Answer what is on one photograph, in any format that a run reads.

        Raises ImageRejected, with a reason, for one that cannot be used.
        """
        return self.classifier.answer(self.features(content, limits=limits))[0]

    def features(self, content: bytes, *, limits: ImageLimits) -> NDArray[float32]:
        """Return the features of one photograph, (1, n_features), as a run computes them.

        Raises ImageRejected.
        """
        pixels = decode_image(content, size_px=self._size_px, limits=limits).pixels
        with self._lock:  # the interpreter has one set of tensors
            return self._engine(pixels[np.newaxis])


def _load(folder: Location, pca_folder: Location, network: Location) -> _Parts:
    record = load_record(folder)
    classifier = load_classifier(folder, pca_folder)
    assert record is not None  # or the line before would have said so
    facts, tflite = load_tflite(network)
    if facts.network_sha256 != record.network_sha256:
        raise FruitsError(
            f"the classifier at {folder.uri} was fitted on features of another network than "
            f"{network.uri}; copy both again from where they were made"
        )
    return _Parts(facts, tflite, classifier, record)


def _newest(layout: OutputLayout) -> str:
    """Return the id of the newest PCA model that has a classifier."""
    model_ids: Sequence[str] = names_in(layout.pca_models)
    for model_id in reversed(model_ids):
        if load_record(layout.classifier(model_id)) is not None:
            return model_id
    raise FruitsError(
        f"{layout.output.uri} holds no classifier; make one with: fruits evaluate --output URI"
    )
