"""A classifier as one folder that a phone carries: a flatbuffer that answers, and what it means."""

import hashlib
import json
import threading
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from recognition.classifier.classifier_files import ClassifierRecord, read_verified
from recognition.classifier.fruit_classifier import Neighbor, Prediction
from recognition.classifier.identifier import DEFAULT_LIMITS, FruitIdentifier, Identifier
from recognition.classifier.variety_classifier import MIN_PROBABILITY, VarietySet, answered_variety
from spark_assets.images.decoding import decode_image
from spark_assets.images.rejection import ImageLimits
from spark_assets.runtime.suppress_output import suppress_native_stderr
from spark_assets.storage.files import Folder, read_json, write_bytes, write_json
from spark_assets.storage.locations import Location

_JSON = "identifier.json"
_TFLITE = "identifier.tflite"
_LABELS = "labels.json"
_AGAIN = "export it again with: fruits export-classifier --output URI --to FOLDER"
_PIXELS = (
    "RGB, upright by EXIF orientation, alpha over white, resized to image_size_px x image_size_px "
    "with a bicubic filter that averages when it shrinks (Pillow's), 0 to 255"
)


@dataclass(frozen=True, slots=True)
class LabelSet:
    """What the numbers of the flatbuffer stand for: labels, and the reference photographs.

    And varieties, ``variety_labels`` the label of each; none where the classifier has none.
    """

    labels: list[str]
    reference_paths: list[str]
    reference_labels: list[str]
    variety_labels: list[str] = field(default_factory=list)
    varieties: list[str] = field(default_factory=list)


def write_exported(
    folder: Location,
    *,
    tflite: bytes,
    label_set: LabelSet,
    record: ClassifierRecord,
    image_size_px: int,
) -> int:
    """Write the folder, the JSON with the digests last; return the bytes of the other files."""
    labels_json = json.dumps(asdict(label_set), ensure_ascii=False).encode()
    files = {_TFLITE: tflite, _LABELS: labels_json}
    for name, content in files.items():
        write_bytes(folder.child(name), content)
    about = {
        "image_size_px": image_size_px,
        "pixels": _PIXELS,
        "unknown_threshold": record.unknown_threshold,
        "variety_min_probability": record.variety_min_probability,
        "sha256": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        "classifier": asdict(record),
    }
    write_json(folder.child(_JSON), about)
    return sum(map(len, files.values()))


class ExportedIdentifier(Identifier):
    """Answers as `FruitIdentifier` does, from an exported folder; no thumbnails are in it."""

    def __init__(
        self, tflite: bytes, label_set: LabelSet, record: ClassifierRecord, image_size_px: int
    ) -> None:
        from ai_edge_litert.interpreter import Interpreter

        self.record = record
        self._label_set = label_set
        self._size_px = image_size_px
        self._lock = threading.Lock()
        with suppress_native_stderr():
            interpreter = Interpreter(model_content=tflite, num_threads=1)
            self._answer = interpreter.get_signature_runner()
            self._answer(pixels=np.zeros((1, image_size_px, image_size_px, 3), np.uint8))

    @classmethod
    def from_folder(cls, folder: Location, about: dict[str, Any]) -> Self:
        """Load a folder with what its JSON says.

        Raises FruitsError where a file is not the one that was written.
        """
        contents = {
            name: read_verified(Folder.at(folder), name, about["sha256"].get(name), again=_AGAIN)
            for name in (_TFLITE, _LABELS)
        }
        record = ClassifierRecord(**about["classifier"])
        label_set = LabelSet(**json.loads(contents[_LABELS]))
        return cls(contents[_TFLITE], label_set, record, about["image_size_px"])

    def identify(self, content: bytes, *, limits: ImageLimits = DEFAULT_LIMITS) -> Prediction:
        """Answer what is on one photograph.  Raises ImageRejected."""
        pixels = decode_image(content, size_px=self._size_px, limits=limits).pixels
        with self._lock:  # the interpreter has one set of tensors
            found = {
                name: value[0] for name, value in self._answer(pixels=pixels[np.newaxis]).items()
            }
        best = int(np.argmax(found["probabilities"]))
        top_label = self._label_set.labels[best]
        is_known = bool(found["known_score"] >= self.record.unknown_threshold)
        variety = None
        if is_known and self._label_set.varieties:
            variety = answered_variety(
                VarietySet(self._label_set.variety_labels, self._label_set.varieties),
                found["variety_probabilities"],
                top_label,
                self.record.variety_min_probability or MIN_PROBABILITY,
            )
        x, y = found["point"]
        nearest = zip(found["neighbors"], found["similarities"], strict=True)
        return Prediction(
            label=top_label if is_known else None,
            top_label=top_label,
            probability=float(found["probabilities"][best]),
            known_score=float(found["known_score"]),
            neighbors=[
                Neighbor(
                    self._label_set.reference_paths[row],
                    self._label_set.reference_labels[row],
                    float(similarity),
                    None,
                )
                for row, similarity in nearest
            ],
            point=(float(x), float(y)),
            variety=None if variety is None else variety.name,
            variety_probability=None if variety is None else variety.probability,
        )


def load_identifier(folder: Location) -> Identifier:
    """Load an exported classifier, or that of an output.

    Raises FruitsError where there is neither.
    """
    about = read_json(folder.child(_JSON))
    if about is not None:
        return ExportedIdentifier.from_folder(folder, about)
    return FruitIdentifier.from_output(folder)
