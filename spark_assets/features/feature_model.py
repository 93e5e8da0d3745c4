"""The feature model as an artefact: one network in files that are verified before use."""

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.files import read_bytes, read_json, write_bytes, write_json
from spark_assets.locations import Location

ARCHITECTURE = "MobileNetV2"
IMAGE_SIZE_PX = 224

_JSON = "model.json"
_TFLITE = "model.tflite"
_WEIGHTS = "model.weights.h5"


@dataclass(frozen=True, slots=True)
class FeatureModelFacts:
    """What there is to know about a feature model without loading it.

    ``weights`` says how the weights were asked for: ``imagenet``, ``seeded`` or ``file``.
    ``network_sha256`` covers architecture, image size and every weight, and not the files, which
    differ from one version of the converter to the next: two runs may share a table of features
    if and only if it is equal.  ``warning`` is None for trained weights.
    """

    architecture: str
    alpha: float
    image_size_px: int
    n_features: int
    weights: str
    weights_source: str
    weights_file_sha256: str | None
    network_sha256: str
    warning: str | None
    tflite_sha256: str
    weights_sha256: str
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class FeatureModel:
    """The flatbuffer for LiteRT and the Keras weights (``.weights.h5``) of one network."""

    facts: FeatureModelFacts
    tflite: bytes
    weights: bytes


def save_feature_model(model: FeatureModel, folder: Location) -> None:
    """Write the three files of a model, its ``model.json`` last."""
    write_bytes(folder.child(_TFLITE), model.tflite)
    write_bytes(folder.child(_WEIGHTS), model.weights)
    write_json(folder.child(_JSON), asdict(model.facts))


def load_facts(folder: Location) -> FeatureModelFacts | None:
    """Return the facts of the model in a folder, or None where there is no model.

    Raises FruitsError where ``model.json`` is not that of a feature model.
    """
    value = read_json(folder.child(_JSON))
    return None if value is None else _facts_from_json(value, folder)


def load_feature_model(folder: Location) -> FeatureModel:
    """Read a model and verify each file against its digest.

    Raises FruitsError where a file is missing or is not the one that was exported.
    """
    facts = load_facts(folder)
    if facts is None:
        raise FruitsError(
            f"there is no feature model at {folder.uri} ({_JSON} is missing); "
            "make one with: fruits export-model --output URI"
        )
    tflite = _verified(folder.child(_TFLITE), facts.tflite_sha256)
    weights = _verified(folder.child(_WEIGHTS), facts.weights_sha256)
    return FeatureModel(facts, tflite, weights)


def network_sha256(alpha: float, image_size_px: int, weights: Sequence[NDArray[np.float32]]) -> str:
    """Return the identity of a network: architecture, input size and weights in Keras' order."""
    digest = hashlib.sha256(f"{ARCHITECTURE} {alpha!r} {image_size_px}".encode())
    for array in weights:
        digest.update(f" {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def _facts_from_json(value: dict[str, Any], folder: Location) -> FeatureModelFacts:
    try:
        facts = FeatureModelFacts(**value)
    except TypeError as error:
        raise FruitsError(
            f"{folder.child(_JSON).uri} does not describe a feature model of this version; "
            "export the model again with: fruits export-model --output URI"
        ) from error
    if facts.architecture != ARCHITECTURE:
        raise FruitsError(
            f"the feature model at {folder.uri} is a {facts.architecture}, and only {ARCHITECTURE} "
            "can be run; export one with: fruits export-model --output URI"
        )
    return facts


def _verified(file: Location, sha256: str) -> bytes:
    content = read_bytes(file)
    if content is None:
        raise FruitsError(f"{file.uri} is missing; export the model again")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FruitsError(
            f"{file.uri} is not the file that was exported (its sha256 differs from "
            f"{_JSON}); do not use it: copy the model again from where it was made"
        )
    return content
