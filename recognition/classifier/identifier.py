"""The label of a photograph: network, PCA and classifier in one object.

Neither Spark nor TensorFlow is imported, so that `fruits identify` takes a second.
"""

import threading
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord, load_classifier
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName, EngineSpec, build_engine
from spark_assets.features.feature_model import FeatureModelFacts, load_tflite
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.output import FEATURE_MODEL, Output
from spark_assets.storage.locations import Location

DEFAULT_LIMITS = ImageLimits()


class Identifier(ABC):
    """Predicts the fruit on photographs; safe to use from several threads.

    Attributes
    ----------
    record : ClassifierRecord
        Provenance and accuracy of the classifier.
    """

    record: ClassifierRecord

    @abstractmethod
    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Predict the fruit on the bytes of one photograph, in any format that a run reads.

        Raises ImageRejected, with a reason, for a photograph that cannot be decoded.
        """


class FruitIdentifier(Identifier):
    """Predicts fruit with the classifier of an output.

    It can be pickled: another process builds the network anew, and reads no file.
    """

    def __init__(
        self,
        classifier: FruitClassifier,
        record: ClassifierRecord,
        facts: FeatureModelFacts,
        tflite: bytes,
    ) -> None:
        self.classifier = classifier
        self.record = record
        self._network = (facts, tflite)
        self._size_px = facts.image_size_px
        self._engine = build_engine(EngineSpec(EngineName.LITERT, facts, tflite))
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.classifier, self.record, *self._network)

    @classmethod
    def from_output(cls, output: Location) -> Self:
        """Load the classifier of an output.

        Raises FruitsError where there is none, or a file is not the one that was written.
        """
        opened = Output.open(output)
        classifier, record = load_classifier(opened)
        facts, tflite = load_tflite(opened.folder(FEATURE_MODEL))
        if facts.network_sha256 != record.network_sha256:
            raise FruitsError(
                f"the classifier of {output.uri} was fitted on features of another network "
                "than the one that lies there; make it again with: fruits evaluate --output URI"
            )
        return cls(classifier, record, facts, tflite)

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Predict the fruit on one photograph.  Raises ImageRejected."""
        pixels = decode_image(content, size_px=self._size_px, limits=limits).pixels
        views = np.stack([pixels, pixels[:, ::-1]])
        with self._lock:  # the interpreter has one set of tensors
            features = np.concatenate([self._engine(view[np.newaxis]) for view in views])
        return self.classifier.predict(features[:1], features[1:])[0]
