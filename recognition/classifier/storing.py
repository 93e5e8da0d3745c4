"""A classifier in files, verified before use, beside the PCA model whose space it is in."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa
from numpy import float64

from recognition.classifier.known import KnownPhotographs, to_lists, to_matrix
from recognition.classifier.logistic import LogisticModel
from recognition.classifier.model import FruitClassifier
from spark_assets.errors import FruitsError
from spark_assets.output.pca_models import load_pca_model
from spark_assets.storage.files import read_bytes, read_json, write_bytes, write_json
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import from_parquet, numbers, to_parquet

_JSON = "classifier.json"
_LABELS = "labels.parquet"
_KNOWN = "known.parquet"
_AGAIN = "make it again with: fruits evaluate --output URI"


@dataclass(frozen=True, slots=True)
class ClassifierRecord:
    """Where a classifier comes from.

    It means nothing for another PCA than ``fitted_model_id`` or another network than
    ``network_sha256``.  ``accuracy`` with its interval is that of the evaluation it was made with.
    """

    model_id: str
    fitted_model_id: str
    network_sha256: str
    warning: str | None
    made_at: str
    made_from: list[str]
    n_photographs: int
    n_labels: int
    group_by: str | None
    refusal_rate: float
    similarity_floor: float
    temperature: float
    accuracy: float
    accuracy_low: float
    accuracy_high: float
    versions: dict[str, str]
    sha256: dict[str, str]


def save_classifier(
    classifier: FruitClassifier, record: ClassifierRecord, folder: Location
) -> None:
    """Write the files of a classifier, its JSON last.  The digests in the record are set here."""
    logistic = classifier.logistic
    labels = pa.table(
        {
            "label": logistic.labels,
            "intercept": logistic.intercepts,
            "coefficients": to_lists(logistic.coefficients, pa.float64()),
        }
    )
    files = {_LABELS: to_parquet(labels), _KNOWN: to_parquet(classifier.known.to_table())}
    for name, content in files.items():
        write_bytes(folder.child(name), content)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    write_json(folder.child(_JSON), {**asdict(record), "sha256": digests})


def load_record(folder: Location) -> ClassifierRecord | None:
    """Return what is known of the classifier in a folder, or None where there is none.

    Raises FruitsError where its JSON is not that of a classifier.
    """
    value: dict[str, Any] | None = read_json(folder.child(_JSON))
    if value is None:
        return None
    try:
        return ClassifierRecord(**value)
    except TypeError as error:
        raise FruitsError(
            f"{folder.child(_JSON).uri} does not describe a classifier of this version; {_AGAIN}"
        ) from error


def load_classifier(
    folder: Location, record: ClassifierRecord, pca_folder: Location
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
    logistic = LogisticModel(
        labels.column("label").to_pylist(),
        to_matrix(labels.column("coefficients")).astype(float64, copy=False),
        numbers(labels.column("intercept").combine_chunks()),
    )
    known = KnownPhotographs.from_table(_table(folder, _KNOWN, record))
    return FruitClassifier(pca, logistic, known, record.similarity_floor)


def read_verified(file: Location, sha256: str | None, *, again: str) -> bytes:
    """Read a file that has a digest.

    Raises FruitsError, which ends with what to do ``again``, where it is not the one that was
    written.
    """
    content = read_bytes(file)
    if content is None or hashlib.sha256(content).hexdigest() != sha256:
        raise FruitsError(f"{file.uri} is missing or not the file that was written; {again}")
    return content


def _table(folder: Location, name: str, record: ClassifierRecord) -> pa.Table:
    return from_parquet(read_verified(folder.child(name), record.sha256.get(name), again=_AGAIN))
