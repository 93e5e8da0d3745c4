"""The PCA models that an output holds, each with the record of where it comes from.

``pca_model/<model_id>/`` holds the model itself, the statistics that it was fitted from, and under
``projections/`` a note for each time that images were projected with it afterwards.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import pyarrow as pa

from spark_assets.errors import FruitsError
from spark_assets.output.layout import OutputLayout
from spark_assets.pca.drift import DriftReference
from spark_assets.pca.model import PCAModel
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.storage.files import names_in, read_bytes, read_json, write_bytes, write_json
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import from_parquet, to_parquet

_PARQUET = "model.parquet"
_STATISTICS = "statistics.parquet"
_REFERENCE = "reference.parquet"
_JSON = "model.json"


@dataclass(frozen=True, slots=True)
class PCARecord:
    """What ``model.json`` says of a PCA model; mean and components are in ``model.parquet``.

    ``runs`` are those whose features were projected when the model was made; ``fitted_on`` those
    that the PCA was fitted on, here or, where ``fitted_here`` is False, in another place.
    ``network_sha256`` names the feature model: the PCA means nothing for features of another one.
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


@dataclass(frozen=True, slots=True)
class Projection:
    """Images that were projected with a model after it was made: those of ``runs``, so many.

    ``fit`` is how well the model fits them, as `FitQuality.to_json` gives it; None where nothing is
    kept to compare them with, or images among them have been erased.
    """

    model_id: str
    runs: list[str]
    n_reduced: int
    fit: dict[str, Any] | None
    seconds_by_stage: dict[str, float]


def pca_records(layout: OutputLayout, run_ids: Iterable[str]) -> list[PCARecord]:
    """Return what is known of every finished PCA model of some runs, oldest first.

    ``run_ids`` are those of the finished runs: a model of a run that readers do not see is not seen
    either.
    """
    visible = set(run_ids)
    found = (_record(layout.pca_models.child(name)) for name in names_in(layout.pca_models))
    records = (record for record in found if record is not None and visible & set(record.runs))
    return sorted(records, key=lambda record: record.model_id)


def projections(layout: OutputLayout, model_id: str) -> list[Projection]:
    """Return what was projected with a model after it was made, oldest first."""
    folder = layout.projections(model_id)
    values = (read_json(folder.child(name)) for name in names_in(folder) if name.endswith(".json"))
    return [Projection(**value) for value in values if value is not None]


def projected_runs(layout: OutputLayout, record: PCARecord) -> list[str]:
    """Return the runs whose images have a row in the reduced table of a model, oldest first."""
    later = projections(layout, record.model_id)
    return sorted({*record.runs, *(run_id for each in later for run_id in each.runs)})


def load_pca_model(folder: Location) -> tuple[PCAModel, PCARecord]:
    """Read a PCA model with its record.  Raises FruitsError where there is none."""
    record, table = _record(folder), _read_table(folder.child(_PARQUET))
    if record is None or table is None:
        raise FruitsError(
            f"there is no PCA model at {folder.uri}; give a folder OUTPUT/pca_model/<model_id>"
        )
    return PCAModel.from_table(table), record


def load_statistics(folder: Location) -> PCAStatistics | None:
    """Read what a PCA model was fitted from, or None where it was fitted elsewhere."""
    table = _read_table(folder.child(_STATISTICS))
    return None if table is None else PCAStatistics.from_table(table)


def load_reference(folder: Location) -> DriftReference | None:
    """Read what new images are compared with, or None where none is kept."""
    table = _read_table(folder.child(_REFERENCE))
    return None if table is None else DriftReference.from_table(table)


def save_pca_model(
    model: PCAModel,
    record: PCARecord,
    folder: Location,
    *,
    statistics: PCAStatistics | None,
    reference: DriftReference | None,
) -> None:
    """Write the files of a model, ``model.json`` last: readers see a model when it is there.

    ``statistics`` are those that it was fitted from here, ``reference`` what new images are
    compared with.
    """
    if reference is not None:
        _write_table(folder.child(_REFERENCE), reference.to_table())
    if statistics is not None:
        _write_table(folder.child(_STATISTICS), statistics.to_table())
    _write_table(folder.child(_PARQUET), model.to_table())
    write_json(folder.child(_JSON), asdict(record))


def save_projection(layout: OutputLayout, projection: Projection) -> None:
    """Note which images were projected: readers see their reduced rows when it is there."""
    name = f"{max(projection.runs)}.json"
    write_json(layout.projections(projection.model_id).child(name), asdict(projection))


def newest_answer(
    records: Sequence[PCARecord], *, n_components: str | None, fitted_model_id: str | None
) -> PCARecord | None:
    """Return the newest model that is what was asked for, or None.

    Any is, where neither a number of components nor a model was asked for.
    """
    for record in reversed(records):
        if fitted_model_id is not None:
            if record.fitted_model_id == fitted_model_id:
                return record
        elif n_components is None or (
            record.fitted_here and record.n_components_asked == n_components
        ):
            return record
    return None


def _record(folder: Location) -> PCARecord | None:
    value: dict[str, Any] | None = read_json(folder.child(_JSON))
    return None if value is None else PCARecord(**value)


def _read_table(file: Location) -> pa.Table | None:
    content = read_bytes(file)
    return None if content is None else from_parquet(content)


def _write_table(file: Location, table: pa.Table) -> None:
    write_bytes(file, to_parquet(table))
