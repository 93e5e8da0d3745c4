"""A features table as large as the PCA's target asks for, with a spectrum like a real one's."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from benchmarks.photographs import N_LABELS, SEED, made_once

_N_FACTORS = 200
_N_FILES = 16
_LARGEST_FEATURE = 6.0  # of ReLU6, which global average pooling cannot exceed


def features_table(folder: Path, n_images: int, n_features: int) -> Path:
    """Return a folder of Parquet files: ``path``, ``label``, ``features`` (float32)."""
    return made_once(
        folder / f"features-{n_images}-{n_features}",
        lambda made: _make(made, draw_features(n_images, n_features)),
    )


def draw_features(n_images: int, n_features: int) -> NDArray[np.float32]:
    """Draw features as a pooled ReLU6 gives them: (n_images, n_features) float32, 0 to 6.

    Their variance lies in few directions, decays like a power, and has a floor of noise.
    """
    rng = np.random.default_rng(SEED)
    strengths = (1 + np.arange(_N_FACTORS, dtype=np.float32)) ** -1.0
    loadings = rng.standard_normal((_N_FACTORS, n_features), dtype=np.float32)
    features = rng.standard_normal((n_images, _N_FACTORS), dtype=np.float32) * strengths @ loadings
    features *= 0.3
    features += rng.standard_normal((n_images, n_features), dtype=np.float32) * np.float32(0.05)
    features += rng.normal(0.0, 0.5, n_features).astype(np.float32)
    clipped: NDArray[np.float32] = np.clip(features, 0, _LARGEST_FEATURE)
    return clipped


def _make(folder: Path, features: NDArray[np.float32]) -> None:
    n_images, n_features = features.shape
    for file, rows in enumerate(np.array_split(np.arange(n_images), _N_FILES)):
        offsets = np.arange(len(rows) + 1, dtype=np.int32) * n_features
        table = pa.table(
            {
                "path": [f"label_{row % N_LABELS:02d}/photograph_{row:06d}.jpg" for row in rows],
                "label": [f"label_{row % N_LABELS:02d}" for row in rows],
                "features": pa.ListArray.from_arrays(
                    pa.array(offsets), pa.array(features[rows].ravel())
                ),
            }
        )
        pq.write_table(table, folder / f"part-{file:05d}.parquet")
