"""The columns of the tables, as docs/reference/tables.md promises them to readers."""

import re
from pathlib import Path

import pyarrow as pa
import pytest

from spark_assets.storage.schemas import FEATURES, FINDINGS, REDUCED, REJECTED

TABLES = Path(__file__).resolve().parents[2] / "docs" / "reference" / "tables.md"
# As Spark, Athena and most readers name them.
NAMES = {
    pa.string(): "string",
    pa.int32(): "int",
    pa.int64(): "long",
    pa.float64(): "double",
    pa.timestamp("us", "UTC"): "timestamp",
    FEATURES.field("features").type: "array<float>",
}


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("features", FEATURES),
        ("rejected", REJECTED),
        ("reduced", REDUCED),
        ("findings", FINDINGS),
    ],
)
def test_the_documented_columns_are_those_that_are_written(name, schema):
    row = re.search(rf"^\| `{name}` \| (.*) \|$", TABLES.read_text(), re.MULTILINE)
    assert row is not None
    documented = re.findall(r"`(\w+)` ([\w<>]+)", row[1])
    assert [(field.name, NAMES[field.type]) for field in schema] == documented


@pytest.mark.parametrize("field", [FEATURES.field("features"), REDUCED.field("pca_features")])
def test_a_vector_has_no_holes(field):
    assert field.type.value_type == pa.float32()
    assert not field.nullable
    assert not field.type.value_field.nullable
