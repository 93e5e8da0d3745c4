"""A classifier in files, verified before use, beside the PCA model whose space it is in."""

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy import float64
from numpy.typing import NDArray

from recognition.classifier.known import KnownPhotographs
from recognition.classifier.logistic import LogisticModel
from recognition.classifier.model import FruitClassifier
from spark_assets.errors import FruitsError
from spark_assets.files import read_bytes, read_json, write_bytes, write_json
from spark_assets.locations import Location
from spark_assets.output.pca_models import load_pca_model

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
    weights = pa.FixedSizeListArray.from_arrays(
        pa.array(logistic.coefficients.reshape(-1)), logistic.coefficients.shape[1]
    )
    labels = pa.table(
        {"label": logistic.labels, "intercept": logistic.intercepts, "coefficients": weights}
    )
    files = {_LABELS: _parquet(labels), _KNOWN: _parquet(classifier.known.to_table())}
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


def load_classifier(folder: Location, pca_folder: Location) -> FruitClassifier:
    """Read a classifier and the PCA model whose space it is in; verify each file by its digest.

    Raises FruitsError where there is none, a file is not the one that was written, or the PCA model
    is not the one that it was fitted in.
    """
    record = load_record(folder)
    if record is None:
        raise FruitsError(f"there is no classifier at {folder.uri}; {_AGAIN}")
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
    coefficients = labels.column("coefficients").combine_chunks()
    logistic = LogisticModel(
        labels.column("label").to_pylist(),
        _numbers(coefficients.flatten()).reshape(len(coefficients), -1),
        _numbers(labels.column("intercept").combine_chunks()),
    )
    known = KnownPhotographs.from_table(_table(folder, _KNOWN, record))
    return FruitClassifier(pca, logistic, known, record.similarity_floor)


def _table(folder: Location, name: str, record: ClassifierRecord) -> pa.Table:
    content = read_bytes(folder.child(name))
    if content is None or hashlib.sha256(content).hexdigest() != record.sha256.get(name):
        raise FruitsError(
            f"{folder.child(name).uri} is missing or not the file that was written; {_AGAIN}"
        )
    # read_table would import the datasets of pyarrow, and pandas with them: 0.2 s.
    return pyarrow.parquet.ParquetFile(pa.BufferReader(content)).read()


def _numbers(column: pa.Array) -> NDArray[float64]:
    # Not to_numpy, which imports pandas: 0.2 s.
    return np.from_dlpack(column).astype(float64, copy=False)


def _parquet(table: pa.Table) -> bytes:
    buffer = pa.BufferOutputStream()
    pyarrow.parquet.write_table(table, buffer, compression="zstd")
    content: bytes = buffer.getvalue().to_pybytes()
    return content
