"""The name of the fruit on a photograph: network, PCA and classifier in one object.

Neither Spark nor TensorFlow is imported: what a service, or a command that answers in a second,
can afford.
"""

import threading
from abc import ABC, abstractmethod
from typing import Any, Self

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord, load_classifier, load_record
from recognition.classifier.fruit_classifier import FruitClassifier, Prediction
from spark_assets.errors import FruitsError
from spark_assets.features.engines import EngineName, EngineSpec, build_engine
from spark_assets.features.feature_model import FeatureModelFacts, load_tflite
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.output import CLASSIFIER, FEATURE_MODEL, PCA_MODEL, Output
from spark_assets.storage.locations import Location

DEFAULT_LIMITS = ImageLimits()


class Identifier(ABC):
    """Names the fruit on photographs.  Safe to use from several threads.

    Attributes
    ----------
    record : ClassifierRecord
        Where the classifier comes from, and how often it was right.
    """

    record: ClassifierRecord

    @abstractmethod
    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Answer what is on one photograph, in any format that a run reads.

        Raises ImageRejected, with a reason, for one that cannot be used.
        """


class FruitIdentifier(Identifier):
    """Names fruit with the classifier of an output, which is its ``classifier``.

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
        classifier, record = classifier_of(opened)
        facts, tflite = load_tflite(opened.folder(FEATURE_MODEL))
        if facts.network_sha256 != record.network_sha256:
            raise FruitsError(
                f"the classifier of {output.uri} was fitted on features of another network "
                "than the one that lies there; make it again with: fruits evaluate --output URI"
            )
        return cls(classifier, record, facts, tflite)

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Answer what is on one photograph.  Raises ImageRejected."""
        pixels = decode_image(content, size_px=self._size_px, limits=limits).pixels
        views = np.stack([pixels, pixels[:, ::-1]])
        with self._lock:  # the interpreter has one set of tensors
            features = np.concatenate([self._engine(view[np.newaxis]) for view in views])
        return self.classifier.predict(features[:1], features[1:])[0]


def classifier_of(output: Output) -> tuple[FruitClassifier, ClassifierRecord]:
    """Load the classifier of an output.  Raises FruitsError where there is none that works."""
    folder = output.folder(CLASSIFIER)
    record = load_record(folder)
    if record is None:
        raise FruitsError(
            f"{output.uri} holds no classifier; make one with: fruits evaluate --output URI"
        )
    return load_classifier(folder, record, output.folder(PCA_MODEL)), record
