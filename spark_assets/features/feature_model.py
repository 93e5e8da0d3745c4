"""The feature model: one network in three files, which are verified before use.

The files are in a folder or, as a deployment ships them, at the top level of a ``.zip``.
"""

import hashlib
import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow.fs
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.storage.files import Folder, read_bytes, to_json, write_bytes
from spark_assets.storage.locations import Location

ARCHITECTURE = "MobileNetV2"
IMAGE_SIZE_PX = 224
# Sides of the square that the network takes, in pixels: multiples of 32, its stride.
IMAGE_SIZES_PX = (96, 128, 160, 192, 224, 256, 288, 320, 352, 384)

_JSON = "model.json"
_TFLITE = "model.tflite"
WEIGHTS_FILE = "model.weights.h5"

# A larger member of a .zip is not read: a small file can unpack to any size.
MAX_MEMBER_MIB = 512


@dataclass(frozen=True, slots=True)
class FeatureModelFacts:
    """The description of a feature model, in its ``model.json``.

    ``weights`` is ``imagenet``, ``seeded`` or ``file``.  ``network_sha256`` covers architecture,
    image size and every weight, but not the files, which differ between versions of the converter:
    two runs may share a table of features if and only if it is equal.  ``warning`` is None for
    trained weights.
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

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "FeatureModelFacts":
        """Return the facts that a manifest carries.  Raises KeyError where one is missing."""
        return cls(**{name: value[name] for name in cls.__dataclass_fields__})


@dataclass(frozen=True, slots=True)
class FeatureModel:
    """The flatbuffer for LiteRT and the Keras weights (``.weights.h5``) of one network."""

    facts: FeatureModelFacts
    tflite: bytes
    weights: bytes


def model_files(model: FeatureModel) -> dict[str, bytes]:
    """Return the three files of a model by name, its ``model.json`` last."""
    facts = to_json(asdict(model.facts))
    return {_TFLITE: model.tflite, WEIGHTS_FILE: model.weights, _JSON: facts}


def save_feature_model(model: FeatureModel, folder: Location) -> None:
    """Write the files of a model."""
    for name, content in model_files(model).items():
        write_bytes(folder.child(name), content)


def model_folder(place: Location) -> Folder:
    """Return a reader of the files of a model in a folder or a ``.zip``."""
    return Folder(place.uri, partial(_read, place))


def load_facts(model: Folder) -> FeatureModelFacts | None:
    """Return the facts of a model, or None where there is no model.

    Raises FruitsError where ``model.json`` is not that of a feature model.
    """
    content = model.read(_JSON)
    return None if content is None else _facts_from_json(content, model)


def load_feature_model(model: Folder) -> FeatureModel:
    """Read a model.  Raises FruitsError where a file is missing or differs from its digest."""
    facts, tflite = load_tflite(model)
    weights = _verified(model, WEIGHTS_FILE, facts.weights_sha256)
    return FeatureModel(facts, tflite, weights)


def load_tflite(model: Folder) -> tuple[FeatureModelFacts, bytes]:
    """Read the facts and the flatbuffer alone.  Raises as `load_feature_model`."""
    facts = load_facts(model)
    if facts is None:
        raise FruitsError(
            f"there is no feature model at {model.uri} ({_JSON} is missing); "
            "make one with: fruits export-model --output URI"
        )
    return facts, _verified(model, _TFLITE, facts.tflite_sha256)


def network_sha256(alpha: float, image_size_px: int, weights: Sequence[NDArray[np.float32]]) -> str:
    """Return the digest of a network.

    Parameters
    ----------
    alpha : float
        Width.
    image_size_px : int
    weights : sequence of ndarray, float32
        In Keras' order.
    """
    digest = hashlib.sha256(f"{ARCHITECTURE} {alpha!r} {image_size_px}".encode())
    for array in weights:
        digest.update(f" {array.shape} ".encode())
        digest.update(np.ascontiguousarray(array, dtype="<f4").tobytes())
    return digest.hexdigest()


def _facts_from_json(content: bytes, model: Folder) -> FeatureModelFacts:
    try:
        facts = FeatureModelFacts(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise FruitsError(
            f"{model.uri}/{_JSON} does not describe a feature model of this version; "
            "export the model again with: fruits export-model --output URI"
        ) from error
    if facts.architecture != ARCHITECTURE:
        raise FruitsError(
            f"the feature model at {model.uri} is a {facts.architecture}, and only {ARCHITECTURE} "
            "can be run; export one with: fruits export-model --output URI"
        )
    return facts


def _verified(model: Folder, name: str, sha256: str) -> bytes:
    file_uri = f"{model.uri}/{name}"
    content = model.read(name)
    if content is None:
        raise FruitsError(f"{file_uri} is missing; export the model again")
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FruitsError(
            f"{file_uri} is not the file that was exported (its sha256 differs from "
            f"{_JSON}); do not use it: copy the model again from where it was made"
        )
    return content


def _read(model: Location, name: str) -> bytes | None:
    """Return a file of a model, or None where there is no such file."""
    if not model.base.endswith(".zip"):
        return read_bytes(model.child(name))
    if model.filesystem.get_file_info(model.base).type != pyarrow.fs.FileType.File:
        return read_bytes(model.child(name))  # a folder may have such a name
    try:
        with (
            model.filesystem.open_input_file(model.base) as stream,
            zipfile.ZipFile(stream) as archive,
        ):
            return _member(archive, name, model)
    # The errors of zipfile for damaged files; RuntimeError is for an encrypted member.
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError) as error:
        raise FruitsError(
            f"{model.uri} cannot be read as a zip file ({error}); pack the three files of the "
            "model again, at its top level"
        ) from error


def _member(archive: zipfile.ZipFile, name: str, model: Location) -> bytes | None:
    try:
        member = archive.getinfo(name)
    except KeyError:
        return None
    if member.file_size > MAX_MEMBER_MIB * 1024**2:
        raise FruitsError(
            f"{model.child(name).uri} unpacks to {member.file_size / 1024**2:.0f} MiB, and a file "
            f"of a model has at most {MAX_MEMBER_MIB} MiB; export the model again"
        )
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise zipfile.BadZipFile(f"{name} is neither stored nor deflated")
    with archive.open(member) as stream:
        # Without a size, read() would unpack all before the declared size is checked.
        return stream.read(member.file_size)
