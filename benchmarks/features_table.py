"""A table of features of any size, as a run writes it, with a spectrum like a real one's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from benchmarks.photographs import N_LABELS, SEED, made_once
from spark_assets.features.partition import MAX_IMAGES
from spark_assets.output.parquet_tables import TableFile
from spark_assets.storage.locations import Location
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import FEATURES

_N_FACTORS = 200
_N_FILES_MIN = 16
RUN_ID = "20260101T000000Z-000001"
_LARGEST_FEATURE = 6.0  # of ReLU6, which global average pooling cannot exceed


def features_table(folder: Path, n_images: int, n_features: int) -> Path:
    """Return a folder of files of `schemas.FEATURES`, all of one run."""
    return made_once(
        folder / f"features of {n_images} x {n_features}",
        lambda made: _make(made, n_images, n_features),
    )


def files_of(folder: Path) -> list[TableFile]:
    """Return the files as the table of an output."""
    names = sorted(path.name for path in folder.glob("*.parquet"))
    return [TableFile(f"features/{name}", Location(f"{folder}/{name}")) for name in names]


def draw_features(n_images: int, n_features: int) -> Iterator[NDArray[np.float32]]:
    """Draw features as a pooled ReLU6 gives them, file by file: (n, n_features) float32, 0 to 6.

    Their variance lies in few directions, decays like a power, and has a floor of noise.
    """
    rng = np.random.default_rng(SEED)
    strengths = (1 + np.arange(_N_FACTORS, dtype=np.float32)) ** -1.0
    loadings = rng.standard_normal((_N_FACTORS, n_features), dtype=np.float32)
    offsets = rng.normal(0.0, 0.5, n_features).astype(np.float32)
    n_files = max(_N_FILES_MIN, -(-n_images // MAX_IMAGES))
    for rows in np.array_split(np.arange(n_images), n_files):
        factors = rng.standard_normal((len(rows), _N_FACTORS), dtype=np.float32) * strengths
        features = np.float32(0.3) * (factors @ loadings) + offsets
        noise = rng.standard_normal((len(rows), n_features), dtype=np.float32)
        features += noise * np.float32(0.05)
        yield np.clip(features, 0, _LARGEST_FEATURE)


def _make(folder: Path, n_images: int, n_features: int) -> None:
    first = 0
    for number, features in enumerate(draw_features(n_images, n_features)):
        rows = range(first, first := first + len(features))
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * n_features
        vectors = FEATURES.field("features").type
        columns = {
            "path": [f"label_{row % N_LABELS:02d}/photograph_{row:07d}.jpg" for row in rows],
            "label": [f"label_{row % N_LABELS:02d}" for row in rows],
            "content_sha256": [f"{row:064x}" for row in rows],
            "size_bytes": [5_000] * len(rows),
            "modified_at": pa.nulls(len(rows), FEATURES.field("modified_at").type),
            "width": [100] * len(rows),
            "height": [100] * len(rows),
            "run_id": [RUN_ID] * len(rows),
            "features": pa.ListArray.from_arrays(
                pa.array(offsets), pa.array(features.ravel()), type=vectors
            ),
        }
        name = f"{RUN_ID}-{number:05d}-0.parquet"
        (folder / name).write_bytes(to_parquet(pa.table(columns, schema=FEATURES)))
