"""The PCA model of an output and its record, in ``pca_model/``.

The folder holds the model, the statistics that it was fitted from, the drift reference of new
images, and the fit quality of those projected last.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from spark_assets.errors import FruitsError
from spark_assets.output.output import PCA_MODEL, Output
from spark_assets.pca.drift import DriftReference
from spark_assets.pca.model import PCAModel
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.files import Folder, to_json
from spark_assets.storage.parquet import from_parquet, to_parquet

_PARQUET = "model.parquet"
_STATISTICS = "statistics.parquet"
_REFERENCE = "reference.parquet"
_JSON = "model.json"
_FIT = "fit.json"
FIT_PATH = f"{PCA_MODEL}/{_FIT}"


@dataclass(frozen=True, slots=True)
class PCARecord:
    """The content of ``model.json``; mean and components are in ``model.parquet``.

    Attributes
    ----------
    fitted_here : bool
        Whether the model was fitted in this output, or copied from another.
    fitted_model_id : str
        Id of the model where it was fitted; a copy has another ``model_id``.
    fitted_on : dict
        Rows of features by run at the fit.  While the output holds as many, they are the same.
    network_sha256 : str
        The feature model; the PCA is meaningless for features of another one.
    explained_variance, explained_variance_ratio : list of float
        Of length ``n_components``; ddof = 1, and fractions from 0 to 1.
    seconds_by_stage : dict
        Wall time in seconds.
    """

    model_id: str
    fitted_here: bool
    fitted_model_id: str
    fitted_on: dict[str, int]
    network_sha256: str
    n_components: int
    n_components_asked: str
    n_samples: int
    n_features: int
    explained_variance: list[float]
    explained_variance_ratio: list[float]
    seconds_by_stage: dict[str, float]

    @classmethod
    def from_model(
        cls,
        model: PCAModel,
        *,
        model_id: str,
        fitted_here: bool,
        fitted_model_id: str,
        fitted_on: dict[str, int],
        network_sha256: str,
        n_components_asked: str,
        seconds_by_stage: dict[str, float],
    ) -> "PCARecord":
        """Return the record of a model."""
        return cls(
            model_id=model_id,
            fitted_here=fitted_here,
            fitted_model_id=fitted_model_id,
            fitted_on=fitted_on,
            network_sha256=network_sha256,
            n_components=len(model.components),
            n_components_asked=n_components_asked,
            n_samples=model.n_samples,
            n_features=len(model.mean),
            explained_variance=model.explained_variance.tolist(),
            explained_variance_ratio=model.explained_variance_ratio.tolist(),
            seconds_by_stage=seconds_by_stage,
        )


def pca_record(output: Output) -> PCARecord | None:
    """Return the record of an output's PCA model, or None."""
    return _record(output.folder(PCA_MODEL))


def load_pca_model(folder: Folder) -> tuple[PCAModel, PCARecord]:
    """Read a PCA model and its record.

    The model has ``mean`` of shape (n_features,) and ``components`` of shape
    (n_components, n_features).  Raises FruitsError where the folder holds none.
    """
    record, table = _record(folder), _read_table(folder, _PARQUET)
    if record is None or table is None:
        raise FruitsError(
            f"there is no PCA model at {folder.uri}; give a folder OUTPUT/{PCA_MODEL}"
        )
    return PCAModel.from_table(table), record


def load_statistics(output: Output) -> PCAStatistics | None:
    """Read the statistics that the PCA was fitted from; None for one fitted elsewhere."""
    table = _read_table(output.folder(PCA_MODEL), _STATISTICS)
    return None if table is None else PCAStatistics.from_table(table)


def load_reference(folder: Folder) -> DriftReference | None:
    """Read the drift reference of new images, or None."""
    table = _read_table(folder, _REFERENCE)
    return None if table is None else DriftReference.from_table(table)


def load_fit(output: Output) -> dict[str, Any] | None:
    """Return the fit quality of the images projected last, or None."""
    return output.read_json(FIT_PATH)


def pca_files(
    model: PCAModel,
    record: PCARecord,
    *,
    statistics: PCAStatistics | None,
    reference: DriftReference | None,
) -> dict[str, bytes]:
    """Return the files of a model by name; ``statistics`` is None for one fitted elsewhere."""
    files = {_JSON: to_json(asdict(record)), _PARQUET: to_parquet(model.to_table())}
    if statistics is not None:
        files[_STATISTICS] = to_parquet(statistics.to_table())
    if reference is not None:
        files[_REFERENCE] = to_parquet(reference.to_table())
    return files


def _record(folder: Folder) -> PCARecord | None:
    content = folder.read(_JSON)
    if content is None:
        return None
    try:
        return PCARecord(**json.loads(content))
    except (TypeError, ValueError) as error:
        raise FruitsError(
            f"{folder.uri}/{_JSON} does not describe a PCA model of this version; "
            "replace the output with: fruits run --overwrite"
        ) from error


def _read_table(folder: Folder, name: str) -> pa.Table | None:
    content = folder.read(name)
    return None if content is None else from_parquet(content)
