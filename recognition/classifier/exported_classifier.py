"""A classifier for a phone, in a folder: a flatbuffer, and the labels of its outputs."""

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from recognition.classifier.classifier_files import ClassifierRecord, read_verified
from recognition.classifier.fruit_classifier import (
    FruitClassifier,
    Neighbor,
    Prediction,
    build_prediction,
)
from recognition.classifier.identifier import DEFAULT_LIMITS, FruitIdentifier, Identifier
from recognition.classifier.variety_classifier import MIN_PROBABILITY, VarietySet
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.runtime.suppress_output import suppress_native_stderr
from spark_assets.storage.files import Folder, read_json, write_bytes, write_json
from spark_assets.storage.locations import Location

_JSON = "identifier.json"
_TFLITE = "identifier.tflite"
_LABELS = "labels.json"
_EXPORT_AGAIN = "export it again with: fruits export-classifier --output URI --to FOLDER"
_PIXELS = (
    "RGB, upright by EXIF orientation, alpha over white, resized to image_size_px x image_size_px "
    "with a bicubic filter that averages when it shrinks (Pillow's), 0 to 255"
)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The labels and the reference photographs, in the order of the flatbuffer's outputs.

    ``variety_labels`` has the label of each of the ``varieties``.
    """

    labels: list[str]
    reference_paths: list[str]
    reference_labels: list[str]
    variety_labels: list[str] = field(default_factory=list)
    varieties: list[str] = field(default_factory=list)


def write_exported(
    folder: Location,
    classifier: FruitClassifier,
    record: ClassifierRecord,
    *,
    tflite: bytes,
    image_size_px: int,
) -> int:
    """Write the folder, the JSON with the digests last; return the bytes of the other files."""
    reference, varieties = classifier.reference, classifier.varieties
    known = VarietySet([], []) if varieties is None else varieties.known
    label_set = LabelSet(
        list(classifier.linear.labels), reference.paths, reference.labels, known.labels, known.names
    )
    labels_json = json.dumps(asdict(label_set), ensure_ascii=False).encode()
    files = {_TFLITE: tflite, _LABELS: labels_json}
    for name, content in files.items():
        write_bytes(folder.child(name), content)
    card = {
        "image_size_px": image_size_px,
        "pixels": _PIXELS,
        "unknown_threshold": record.unknown_threshold,
        "variety_min_probability": record.variety_min_probability,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "classifier": asdict(record),
    }
    write_json(folder.child(_JSON), card)
    return sum(map(len, files.values()))


class ExportedIdentifier(Identifier):
    """Predicts as `FruitIdentifier` does, from an exported folder, which has no thumbnails."""

    def __init__(
        self, tflite: bytes, label_set: LabelSet, record: ClassifierRecord, image_size_px: int
    ) -> None:
        self.record = record
        self._label_set = label_set
        self._varieties = VarietySet(label_set.variety_labels, label_set.varieties)
        self._size_px = image_size_px
        self._lock = threading.Lock()
        with suppress_native_stderr():
            interpreter = Interpreter(model_content=tflite, num_threads=1)
            self._predict = interpreter.get_signature_runner()
            self._predict(pixels=np.zeros((1, image_size_px, image_size_px, 3), np.uint8))

    @classmethod
    def from_folder(cls, folder: Location, card: dict[str, Any]) -> Self:
        """Load a folder by its JSON.

        Raises FruitsError where a file is not the one that was written.
        """
        contents = {
            name: read_verified(
                Folder.at(folder), name, card["sha256"].get(name), again=_EXPORT_AGAIN
            )
            for name in (_TFLITE, _LABELS)
        }
        record = ClassifierRecord(**card["classifier"])
        label_set = LabelSet(**json.loads(contents[_LABELS]))
        return cls(contents[_TFLITE], label_set, record, card["image_size_px"])

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Predict the fruit on one photograph.  Raises ImageRejected."""
        pixels = decode_image(content, size_px=self._size_px, limits=limits).pixels
        with self._lock:  # the interpreter has one set of tensors
            outputs = {
                name: value[0] for name, value in self._predict(pixels=pixels[np.newaxis]).items()
            }
        paths, labels = self._label_set.reference_paths, self._label_set.reference_labels
        nearest = zip(outputs["neighbors"], outputs["similarities"], strict=True)
        return build_prediction(
            self._label_set.labels,
            outputs["probabilities"],
            known_score=outputs["known_score"],
            unknown_threshold=self.record.unknown_threshold,
            varieties=self._varieties,
            joint=outputs.get("variety_probabilities", np.zeros(0)),
            min_probability=self.record.variety_min_probability or MIN_PROBABILITY,
            neighbors=(Neighbor(paths[n], labels[n], float(s), None) for n, s in nearest),
            point=outputs["point"],
        )


def load_identifier(folder: Location) -> Identifier:
    """Load an exported classifier, or that of an output.

    Raises FruitsError where there is neither.
    """
    card = read_json(folder.child(_JSON))
    if card is not None:
        return ExportedIdentifier.from_folder(folder, card)
    return FruitIdentifier.from_output(folder)
