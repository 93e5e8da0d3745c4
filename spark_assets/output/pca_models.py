"""The PCA models that an output holds, each with the record of where it comes from."""

from dataclasses import asdict, dataclass

import pyarrow.parquet

from spark_assets.errors import FruitsError
from spark_assets.files import names_in, read_bytes, read_json, write_bytes, write_json
from spark_assets.locations import Location
from spark_assets.output.layout import OutputLayout
from spark_assets.pca.model import PCAModel

_PARQUET = "model.parquet"
_JSON = "model.json"


@dataclass(frozen=True, slots=True)
class PCARecord:
    """What ``model.json`` says of a PCA model; mean and components are in ``model.parquet``.

    ``runs`` are those whose features were projected; ``fitted_on`` those that the PCA was fitted
    on, here or, where ``fitted_here`` is False, in another place.  ``network_sha256`` names the
    feature model: the PCA means nothing for features of another one.
    """

    model_id: str
    fitted_here: bool
    fitted_model_id: str
    fitted_on: list[str]
    runs: list[str]
    network_sha256: str
    n_components: int
    n_components_asked: str
    n_samples: int
    n_features: int
    n_reduced: int
    explained_variance: list[float]
    explained_variance_ratio: list[float]
    seconds_by_stage: dict[str, float]


def pca_records(layout: OutputLayout) -> list[PCARecord]:
    """Return what is known of every finished PCA model in an output, oldest first."""
    found = (_record(layout.pca_models.child(name)) for name in names_in(layout.pca_models))
    return sorted((r for r in found if r is not None), key=lambda record: record.model_id)


def load_pca_model(folder: Location) -> tuple[PCAModel, PCARecord]:
    """Read a PCA model with its record.  Raises FruitsError where there is none."""
    record, content = _record(folder), read_bytes(folder.child(_PARQUET))
    if record is None or content is None:
        raise FruitsError(
            f"there is no PCA model at {folder.uri}; give a folder OUTPUT/pca_model/<model_id>"
        )
    table = pyarrow.parquet.read_table(pyarrow.BufferReader(content))
    return PCAModel.from_table(table), record


def save_pca_model(model: PCAModel, record: PCARecord, folder: Location) -> None:
    """Write both files, ``model.json`` last: readers see a model when it is there."""
    buffer = pyarrow.BufferOutputStream()
    pyarrow.parquet.write_table(model.to_table(), buffer, compression="zstd")
    write_bytes(folder.child(_PARQUET), buffer.getvalue().to_pybytes())
    write_json(folder.child(_JSON), asdict(record))


def _record(folder: Location) -> PCARecord | None:
    value = read_json(folder.child(_JSON))
    return None if value is None else PCARecord(**value)
