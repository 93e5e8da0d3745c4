"""A features table as large as the PCA's targets ask for, with a spectrum like a real one's."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.photographs import N_LABELS, SEED, made_once

_N_FACTORS = 200
_N_FILES_MIN = 16
# 100 MB of 1280 features: a million images are never in memory together.
_ROWS_PER_FILE_MAX = 20_000
_LARGEST_FEATURE = 6.0  # of ReLU6, which global average pooling cannot exceed


def features_table(folder: Path, n_images: int, n_features: int) -> Path:
    """Return a folder of Parquet files: ``path``, ``label``, ``features`` (float32)."""
    return made_once(
        folder / f"features-{n_images}-{n_features}",
        lambda made: _make(made, n_images, n_features),
    )


def draw_features(n_images: int, n_features: int) -> Iterator[NDArray[np.float32]]:
    """Draw features as a pooled ReLU6 gives them, file by file: (n, n_features) float32, 0 to 6.

    Their variance lies in few directions, decays like a power, and has a floor of noise.
    """
    rng = np.random.default_rng(SEED)
    strengths = (1 + np.arange(_N_FACTORS, dtype=np.float32)) ** -1.0
    loadings = rng.standard_normal((_N_FACTORS, n_features), dtype=np.float32)
    offsets = rng.normal(0.0, 0.5, n_features).astype(np.float32)
    n_files = max(_N_FILES_MIN, -(-n_images // _ROWS_PER_FILE_MAX))
    for rows in np.array_split(np.arange(n_images), n_files):
        factors = rng.standard_normal((len(rows), _N_FACTORS), dtype=np.float32) * strengths
        features = np.float32(0.3) * (factors @ loadings) + offsets
        noise = rng.standard_normal((len(rows), n_features), dtype=np.float32)
        features += noise * np.float32(0.05)
        yield np.clip(features, 0, _LARGEST_FEATURE)


def _make(folder: Path, n_images: int, n_features: int) -> None:
    first = 0
    for file, features in enumerate(draw_features(n_images, n_features)):
        rows = range(first, first := first + len(features))
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * n_features
        table = pa.table(
            {
                "path": [f"label_{row % N_LABELS:02d}/photograph_{row:06d}.jpg" for row in rows],
                "label": [f"label_{row % N_LABELS:02d}" for row in rows],
                "features": pa.ListArray.from_arrays(pa.array(offsets), pa.array(features.ravel())),
            }
        )
        pq.write_table(table, folder / f"part-{file:05d}.parquet")
