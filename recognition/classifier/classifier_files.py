"""A classifier in files, verified before use, beside the PCA model whose space it is in."""

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
from spark_assets.output.pca_model import load_pca_model
from spark_assets.storage.files import Folder, to_json
from spark_assets.storage.parquet import from_parquet, numbers, to_parquet

_LABELS, _NOVELTY, _VARIETIES = "labels.parquet", "novelty.parquet", "varieties.parquet"
_AGAIN = "make it again with: fruits evaluate --output URI"


@dataclass(frozen=True, slots=True)
class ClassifierRecord:
    """Where a classifier comes from.

    It means nothing for another PCA than ``fitted_model_id`` or another network than
    ``network_sha256``.  ``made_from`` says how many rows of features of each run there were, of
    which it was fitted on a sample at least.  ``penalty``, ``n_components`` (None for all features)
    and ``temperature`` were chosen by ``chosen_by``, the split of the evaluation.  ``accuracy``
    with its interval is that of the evaluation that it was made with.  Varieties are what
    ``variety_regex`` finds in paths, answered from ``variety_min_probability`` on; None where the
    classifier has none.
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
    """Return the files of a classifier by name.  The digests in the record are set here."""
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


def load_record(folder: Folder) -> ClassifierRecord | None:
    """Return what is known of the classifier in a folder, or None where there is none.

    Raises FruitsError where its JSON is not that of a classifier.
    """
    content = folder.read(RECORD)
    if content is None:
        return None
    try:
        return ClassifierRecord(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise FruitsError(
            f"{folder.uri}/{RECORD} does not describe a classifier of this version; {_AGAIN}"
        ) from error


def load_classifier(
    folder: Folder, record: ClassifierRecord, pca_folder: Folder
) -> FruitClassifier:
    """Read the classifier of a record and the PCA model whose space it is in.

    Raises FruitsError where a file is not the one that was written, or the PCA model is not the one
    that it was fitted in.
    """
    pca, pca_record = load_pca_model(pca_folder)
    if (pca_record.fitted_model_id, pca_record.network_sha256) != (
        record.fitted_model_id,
        record.network_sha256,
    ):
        raise FruitsError(
            f"the classifier at {folder.uri} was fitted in the space of the PCA model "
            f"{record.fitted_model_id}, and {pca_folder.uri} holds {pca_record.fitted_model_id}; "
            f"{_AGAIN}"
        )
    labels = _table(folder, _LABELS, record)
    linear = _linear(labels, labels.column("label").to_pylist())
    reference = ReferenceSet.from_table(_table(folder, REFERENCE, record))
    varieties = None
    if _VARIETIES in record.sha256:
        varieties = _varieties(_table(folder, _VARIETIES, record), record)
    detector = _detector(_table(folder, _NOVELTY, record), record)
    return FruitClassifier(pca, linear, detector, reference, varieties)


def _weights(linear: LinearClassifier) -> dict[str, Any]:
    return {
        "intercept": linear.intercepts,
        "coefficients": to_lists(linear.coefficients, pa.float64()),
    }


def _varieties(table: pa.Table, record: ClassifierRecord) -> VarietyClassifier:
    names = table.column("variety").to_pylist()
    linear = _linear(table, names)
    known = VarietySet(table.column("label").to_pylist(), names)
    return VarietyClassifier(known, linear, record.variety_min_probability or MIN_PROBABILITY)


def _linear(table: pa.Table, labels: list[str]) -> LinearClassifier:
    coefficients = to_matrix(table.column("coefficients")).astype(float64, copy=False)
    return LinearClassifier(labels, coefficients, numbers(table["intercept"].combine_chunks()))


def _detector(table: pa.Table, record: ClassifierRecord) -> UnknownDetector:
    mean = to_matrix(table.column("mean")).astype(float32, copy=False)[0]
    axes = to_matrix(table.column("axes")).astype(float32, copy=False).reshape(len(mean), -1)
    return UnknownDetector(mean, axes, table.column("weight")[0].as_py(), record.unknown_threshold)


def read_verified(folder: Folder, name: str, sha256: str | None, *, again: str) -> bytes:
    """Read a file that has a digest.

    Raises FruitsError, which ends with what to do ``again``, where it is not the one that was
    written.
    """
    content = folder.read(name)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise FruitsError(
            f"{folder.uri}/{name} is missing or not the file that was written; {again}"
        )
    return content


def _table(folder: Folder, name: str, record: ClassifierRecord) -> pa.Table:
    return from_parquet(read_verified(folder, name, record.sha256.get(name), again=_AGAIN))
