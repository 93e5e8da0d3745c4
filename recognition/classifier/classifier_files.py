"""The files of a classifier: written with digests, and verified when they are read."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy import float32, float64

from recognition.classifier.fruit_classifier import FruitClassifier
from recognition.classifier.linear_classifier import LinearClassifier
from recognition.classifier.reference_set import ReferenceSet, to_lists, to_matrix
from recognition.classifier.unknown_detector import UnknownDetector
from recognition.classifier.variety_classifier import MIN_PROBABILITY, VarietyClassifier, VarietySet
from spark_assets.errors import FruitsError
from spark_assets.output.evaluation_record import RECORD, REFERENCE
from spark_assets.output.output import CLASSIFIER, PCA_MODEL, Output
from spark_assets.output.pca_model import load_pca_model
from spark_assets.storage.files import Folder, to_json
from spark_assets.storage.parquet import from_parquet, numbers, to_parquet

_LABELS, _NOVELTY, _VARIETIES = "labels.parquet", "novelty.parquet", "varieties.parquet"
_FIT_AGAIN = "make it again with: fruits evaluate --output URI"


@dataclass(frozen=True, slots=True)
class ClassifierRecord:
    """The provenance of a classifier and the values that were chosen for it.

    It belongs to the PCA ``fitted_model_id`` and the network ``network_sha256`` alone.
    ``made_from`` has the number of rows of features of each run.  ``penalty``, ``n_components``
    (None for all features) and ``temperature`` were chosen on the split ``chosen_by`` of the
    evaluation; ``accuracy`` and its interval are of that evaluation.  ``variety_min_probability``
    is the smallest probability at which a variety is predicted, None without varieties.
    """

    model_id: str
    fitted_model_id: str
    network_sha256: str
    warning: str | None
    made_at: str
    made_from: dict[str, int]
    n_photographs: int
    n_labels: int
    group_by: str | None
    chosen_by: str
    penalty: float
    n_components: int | None
    temperature: float
    false_unknown_rate: float
    unknown_threshold: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    versions: dict[str, str]
    sha256: dict[str, str]
    variety_regex: str | None = None
    n_varieties: int = 0
    variety_temperature: float | None = None
    variety_min_probability: float | None = None


def classifier_files(classifier: FruitClassifier, record: ClassifierRecord) -> dict[str, bytes]:
    """Return the files of a classifier by name, with their digests in that of the record."""
    linear, detector = classifier.linear, classifier.unknown_detector
    labels = pa.table({"label": list(linear.labels)} | _weights(linear))
    known = pa.table(
        {
            "mean": to_lists(detector.mean[np.newaxis], pa.float32()),
            "axes": to_lists(detector.axes.reshape(1, -1), pa.float32()),
            "weight": [detector.weight],
        }
    )
    files = {
        _LABELS: to_parquet(labels),
        _NOVELTY: to_parquet(known),
        REFERENCE: to_parquet(classifier.reference.to_table()),
    }
    if classifier.varieties is not None:
        known_varieties = classifier.varieties.known
        names = {"label": known_varieties.labels, "variety": known_varieties.names}
        files[_VARIETIES] = to_parquet(pa.table(names | _weights(classifier.varieties.linear)))
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    return files | {RECORD: to_json({**asdict(record), "sha256": digests})}


def load_classifier(output: Output) -> tuple[FruitClassifier, ClassifierRecord]:
    """Read the classifier of an output and the PCA model that it was fitted with.

    Raises FruitsError where there is none, a file is not the one that was written, or the PCA model
    is another one.
    """
    folder, pca_folder = output.folder(CLASSIFIER), output.folder(PCA_MODEL)
    record = _load_record(folder, output)
    pca, pca_record = load_pca_model(pca_folder)
    if (pca_record.fitted_model_id, pca_record.network_sha256) != (
        record.fitted_model_id,
        record.network_sha256,
    ):
        raise FruitsError(
            f"the classifier at {folder.uri} was fitted in the space of the PCA model "
            f"{record.fitted_model_id}, and {pca_folder.uri} holds {pca_record.fitted_model_id}; "
            f"{_FIT_AGAIN}"
        )
    labels = _table(folder, _LABELS, record)
    varieties = None
    if _VARIETIES in record.sha256:
        table = _table(folder, _VARIETIES, record)
        known = VarietySet(table["label"].to_pylist(), table["variety"].to_pylist())
        min_probability = record.variety_min_probability or MIN_PROBABILITY
        varieties = VarietyClassifier(known, _linear(table, known.names), min_probability)
    return FruitClassifier(
        pca,
        _linear(labels, labels["label"].to_pylist()),
        _detector(_table(folder, _NOVELTY, record), record),
        ReferenceSet.from_table(_table(folder, REFERENCE, record)),
        varieties,
    ), record


def _load_record(folder: Folder, output: Output) -> ClassifierRecord:
    content = folder.read(RECORD)
    if content is None:
        raise FruitsError(
            f"{output.uri} holds no classifier; make one with: fruits evaluate --output URI"
        )
    try:
        return ClassifierRecord(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise FruitsError(
            f"{folder.uri}/{RECORD} does not describe a classifier of this version; {_FIT_AGAIN}"
        ) from error


def _weights(linear: LinearClassifier) -> dict[str, Any]:
    return {
        "intercept": linear.intercepts,
        "coefficients": to_lists(linear.coefficients, pa.float64()),
    }


def _linear(table: pa.Table, labels: list[str]) -> LinearClassifier:
    coefficients = to_matrix(table.column("coefficients")).astype(float64, copy=False)
    return LinearClassifier(labels, coefficients, numbers(table["intercept"].combine_chunks()))


def _detector(table: pa.Table, record: ClassifierRecord) -> UnknownDetector:
    mean = to_matrix(table.column("mean")).astype(float32, copy=False)[0]
    axes = to_matrix(table.column("axes")).astype(float32, copy=False).reshape(len(mean), -1)
    return UnknownDetector(mean, axes, table.column("weight")[0].as_py(), record.unknown_threshold)


def read_verified(folder: Folder, name: str, sha256: str | None, *, again: str) -> bytes:
    """Read a file and check its digest.

    Raises FruitsError, which ends with the command ``again``, where the digest is another one.
    """
    content = folder.read(name)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise FruitsError(
            f"{folder.uri}/{name} is missing or not the file that was written; {again}"
        )
    return content


def _table(folder: Folder, name: str, record: ClassifierRecord) -> pa.Table:
    return from_parquet(read_verified(folder, name, record.sha256.get(name), again=_FIT_AGAIN))
