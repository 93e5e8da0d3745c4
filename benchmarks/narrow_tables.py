"""What is known of millions of photographs, and a listing of as many, drawn without a photograph.

Of the known ones, the first ``n`` are gone and the last ``n`` have changed; ``n`` are new.
"""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from benchmarks.photographs import SEED, made_once
from spark_assets.features.partition import MAX_IMAGES
from spark_assets.storage.parquet import to_parquet
from spark_assets.storage.schemas import FEATURES, LISTED

RUN_ID = "20260101T000000Z-0001"
_PHOTOGRAPHS_PER_LABEL = 1_000
_ROWS_PER_FILE = MAX_IMAGES
_MEAN_SIZE_BYTES = 5_000
_FIRST_MODIFIED_AT_US = int(datetime(2026, 1, 1, tzinfo=UTC).timestamp() * 1e6)
_HEX_DIGITS = np.frombuffer(b"0123456789abcdef", np.uint8)
_SHA256_BYTES = 32


def narrow_tables(folder: Path, n_known: int, n_each: int) -> Path:
    """Return a folder with ``features``, and ``listed.parquet``, of `LISTED`.

    The vectors are empty: a plan reads none.
    ``n_each`` photographs are new, as many have changed, and as many are gone.
    """
    return made_once(
        folder / f"known {n_known}, {n_each} of each", lambda made: _make(made, n_known, n_each)
    )


def _make(folder: Path, n_known: int, n_each: int) -> None:
    known = folder / "features"
    known.mkdir(parents=True)
    rng = np.random.default_rng(SEED)
    with pq.ParquetWriter(folder / "listed.parquet", LISTED) as listed:
        for number, first in enumerate(range(0, n_known, _ROWS_PER_FILE)):
            rows = np.arange(first, min(first + _ROWS_PER_FILE, n_known))
            state = _state(rows, rng)
            (known / f"{RUN_ID}-{number:05d}-0.parquet").write_bytes(to_parquet(state))
            listed.write_table(_as_listed(state, rows, n_known, n_each))
        new = np.arange(n_known, n_known + n_each)
        listed.write_table(_state(new, rng).select(LISTED.names).cast(LISTED))


def _state(rows: np.ndarray, rng: np.random.Generator) -> pa.Table:
    """Draw what is known of photographs, ordered by path; each file has a size and time."""
    label = pc.binary_join_element_wise("label", _digits(rows // _PHOTOGRAPHS_PER_LABEL), "_")
    path = pc.binary_join_element_wise(label, "/photograph_", _digits(rows), ".jpg", "")
    columns = {
        "path": path,
        "label": label,
        "size_bytes": pa.array(rng.poisson(_MEAN_SIZE_BYTES, len(rows)), pa.int64()),
        "modified_at": pa.array(_FIRST_MODIFIED_AT_US + rows, pa.int64()).cast(
            FEATURES.field("modified_at").type
        ),
        "content_sha256": _digests(len(rows), rng),
        "width": pa.repeat(100, len(rows)).cast(pa.int32()),
        "height": pa.repeat(100, len(rows)).cast(pa.int32()),
        "run_id": pa.repeat(RUN_ID, len(rows)),
        "features": pa.array([[]] * len(rows), FEATURES.field("features").type),
    }
    return pa.table(columns, schema=FEATURES)


def _as_listed(state: pa.Table, rows: np.ndarray, n_known: int, n_each: int) -> pa.Table:
    is_changed = pa.array(rows >= n_known - n_each)
    size = pc.add(state["size_bytes"], is_changed.cast(pa.int64()))
    listed = state.set_column(state.schema.get_field_index("size_bytes"), "size_bytes", size)
    return listed.select(LISTED.names).cast(LISTED).filter(pa.array(rows >= n_each))


def _digits(numbers: np.ndarray) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers, pa.int64()).cast(pa.string()), 8, "0")


def _digests(n: int, rng: np.random.Generator) -> pa.Array:
    """Draw hexadecimal SHA-256 digests, which compress as little as real ones."""
    drawn = np.frombuffer(rng.bytes(n * _SHA256_BYTES), np.uint8)
    text = _HEX_DIGITS[np.stack([drawn >> 4, drawn & 15], axis=1)].ravel()
    offsets = np.arange(n + 1, dtype=np.int32) * 2 * _SHA256_BYTES
    return pa.StringArray.from_buffers(n, pa.py_buffer(offsets), pa.py_buffer(text))
