"""Column names and types of every table."""

import pyarrow as pa

_PATH = pa.field("path", pa.string(), nullable=False)
_LABEL = pa.field("label", pa.string())
_MODIFIED_AT = pa.field("modified_at", pa.timestamp("us", "UTC"))
_VECTOR = pa.list_(pa.field("element", pa.float32(), nullable=False))
_RUN_ID = pa.field("run_id", pa.string(), nullable=False)
_SIZE_BYTES = pa.field("size_bytes", pa.int64())

# Rows of a listing, and the input of a task that computes features.
LISTED = pa.schema([_PATH, _SIZE_BYTES, _MODIFIED_AT])

FEATURES = pa.schema(
    [
        _PATH,
        _LABEL,
        pa.field("content_sha256", pa.string(), nullable=False),
        pa.field("size_bytes", pa.int64(), nullable=False),
        _MODIFIED_AT,
        pa.field("width", pa.int32(), nullable=False),
        pa.field("height", pa.int32(), nullable=False),
        _RUN_ID,
        pa.field("features", _VECTOR, nullable=False),
    ]
)

REJECTED = pa.schema(
    [
        *(_PATH, _LABEL, _SIZE_BYTES, _MODIFIED_AT, _RUN_ID),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

# One row per image: with features, or with a reason and a detail.
OUTCOMES = pa.schema(
    [
        *(field.with_nullable(True) for field in FEATURES if field.name != "run_id"),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
    ]
)

REDUCED = pa.schema([_PATH, _LABEL, pa.field("pca_features", _VECTOR, nullable=False)])

# Findings of an audit.  ``suggestion`` is a likelier label, ``related_path`` the other
# photograph of a duplicate.
FINDINGS = pa.schema(
    [
        _PATH,
        _LABEL,
        pa.field("kind", pa.string(), nullable=False),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("suggestion", pa.string()),
        pa.field("related_path", pa.string()),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

TABLES = {"features": FEATURES, "rejected": REJECTED, "reduced": REDUCED, "findings": FINDINGS}
