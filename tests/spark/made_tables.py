"""Files of tables and finished runs made by hand, without an image."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from spark_assets.images.rejection import ImageLimits
from spark_assets.output.manifest import Counts, RunManifest, manifest_path
from spark_assets.output.parquet_tables import TableFile
from spark_assets.storage import schemas
from spark_assets.storage.locations import parse_location
from tests.made_report import made_facts


def feature_rows(
    paths: Sequence[str], run_id: str = "1", vectors: Any = None, **columns: Any
) -> pa.Table:
    """Return rows of features, of which each has numbers of its own unless some are given."""
    if vectors is None:
        vectors = [[float(byte) for byte in path.encode()[-6:].rjust(6)] for path in paths]
    made = {
        "label": [path.partition("/")[0] if "/" in path else None for path in paths],
        "content_sha256": ["0"] * len(paths),
        "size_bytes": [1] * len(paths),
        "modified_at": [0] * len(paths),
        "width": [1] * len(paths),
        "height": [1] * len(paths),
        "features": list(vectors),
    }
    return _table({"path": paths, "run_id": [run_id] * len(paths)} | made | columns)


def rejected_rows(paths: Sequence[str], run_id: str = "1", **columns: Any) -> pa.Table:
    """Return rows of rejected images."""
    made = {"reason": ["empty"] * len(paths), "detail": ["0 bytes"] * len(paths)}
    rows = feature_rows(paths, run_id)
    kept = {name: rows[name] for name in schemas.REJECTED.names if name in rows.column_names}
    return _table(kept | made | columns, schemas.REJECTED)


def put_table(output: Path, path: str, rows: pa.Table) -> TableFile:
    """Write a file of a table."""
    file = output.joinpath(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, file)
    return TableFile(path, parse_location(str(file)))


def put_run(output: Path, run_id: str, rows: pa.Table, **options: Any) -> None:
    """Write a finished run that made these rows of features."""
    put_table(output, f"features/{run_id}-00000-0.parquet", rows)
    put_manifest(output, run_id, n_features=rows.num_rows, **options)


def put_manifest(
    output: Path,
    run_id: str,
    *,
    n_features: int = 0,
    network: str = "n",
    images_uri: str = "images",
    limits: ImageLimits = ImageLimits(),  # noqa: B008 - frozen
) -> RunManifest:
    manifest = RunManifest(
        run_id=run_id,
        started_at="2026-01-01T00:00:00+00:00",
        images_uri=images_uri,
        options={"limits": asdict(limits)},
        feature_model=made_facts(network_sha256=network),
        counts=Counts(n_features, 0, n_features, 0, {}),
        bytes_read=0,
        seconds_by_stage={"featurize": 1.0},
        images_per_second=1.0,
        images_per_second_steady=None,
        n_task_slots=2,
        versions={},
    )
    file = output / manifest_path(run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(manifest.to_json()))
    return manifest


def spoil(table_file: TableFile, *columns: str) -> None:
    """Overwrite columns in a file: whoever reads one of them fails."""
    file = Path(table_file.location.base)
    metadata = pq.read_metadata(file)
    content = bytearray(file.read_bytes())
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        for column in (group.column(each) for each in range(group.num_columns)):
            if column.path_in_schema.partition(".")[0] in columns:
                first = column.dictionary_page_offset or column.data_page_offset
                length = column.total_compressed_size
                content[first : first + length] = b"\xff" * length
    file.write_bytes(content)


def _table(columns: dict[str, Any], schema: pa.Schema = schemas.FEATURES) -> pa.Table:
    def column(field: pa.Field) -> Any:
        values = columns[field.name]
        if isinstance(values, pa.ChunkedArray):
            return values
        if isinstance(values, np.ndarray):
            values = values.tolist()
        return pa.array(values, field.type)

    return pa.table([column(field) for field in schema], schema=schema)
