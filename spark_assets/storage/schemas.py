"""Column names and types of every table: the only place that states them.

They are declared for Arrow, in which workers make rows without Spark; `spark_schema` gives the same
for Spark, which reads and writes the tables.
"""

from enum import StrEnum
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from pyspark.sql.types import StructType

_PATH = pa.field("path", pa.string(), nullable=False)
_LABEL = pa.field("label", pa.string())
_MODIFIED_AT = pa.field("modified_at", pa.timestamp("us", "UTC"))
_VECTOR = pa.list_(pa.field("element", pa.float32(), nullable=False))


class Outcome(StrEnum):
    """What a run found of an image; GONE means that its source no longer has it."""

    FEATURES = "features"
    REJECTED = "rejected"
    GONE = "gone"


_SIZE_BYTES = pa.field("size_bytes", pa.int64())

# What a listing yields, and what a task that computes features takes in.
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
        pa.field("features", _VECTOR, nullable=False),
    ]
)

REJECTED = pa.schema(
    [
        *(_PATH, _LABEL, _SIZE_BYTES, _MODIFIED_AT),
        pa.field("reason", pa.string(), nullable=False),
        pa.field("detail", pa.string(), nullable=False),
    ]
)

# Every image gives one row of this: with features, or with a reason and a detail.
OUTCOMES = pa.schema(
    [
        *(field.with_nullable(True) for field in FEATURES),
        pa.field("reason", pa.string()),
        pa.field("detail", pa.string()),
    ]
)

# What a run changed in the state of its output: narrow, so that what is known is found without the
# features.  ``content_sha256`` is there where features are, ``reason`` where there are none.
CHANGES = pa.schema(
    [
        *(_PATH, _LABEL, _SIZE_BYTES, _MODIFIED_AT),
        pa.field("content_sha256", pa.string()),
        pa.field("outcome", pa.string(), nullable=False),
        pa.field("reason", pa.string()),
    ]
)

REDUCED = pa.schema([_PATH, _LABEL, pa.field("pca_features", _VECTOR, nullable=False)])

# What an audit has found of photographs, to be worked through: a row for each finding.
# ``suggestion`` is a likelier label, ``related_path`` another photograph that is the same one.
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


def spark_schema(schema: pa.Schema) -> "StructType":
    """Return the same columns for Spark."""
    from pyspark.sql.pandas.types import from_arrow_schema

    return from_arrow_schema(schema)
