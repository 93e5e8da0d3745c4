"""The columns of the tables, as docs/tables.md promises them to readers."""

import re
from pathlib import Path

import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from spark_assets.storage.schemas import (
    CHANGES,
    FEATURES,
    LISTED,
    OUTCOMES,
    REDUCED,
    REJECTED,
    spark_schema,
)

TABLES = Path(__file__).resolve().parents[2] / "docs" / "tables.md"
NAME_IN_SPARK = {"long": "bigint"}


@pytest.mark.parametrize(
    ("name", "schema"), [("features", FEATURES), ("rejected", REJECTED), ("reduced", REDUCED)]
)
def test_the_documented_columns_are_those_that_are_written(name, schema):
    row = re.search(rf"^\| `{name}` \| (.*) \|$", TABLES.read_text(), re.MULTILINE)
    assert row is not None
    documented = [
        (column, NAME_IN_SPARK.get(kind, kind))
        for column, kind in re.findall(r"`(\w+)` ([\w<>]+)", row[1])
    ]
    fields = spark_schema(schema).fields
    assert [(field.name, field.dataType.simpleString()) for field in fields] == documented


@pytest.mark.parametrize("schema", [LISTED, FEATURES, REJECTED, CHANGES, OUTCOMES, REDUCED])
def test_spark_takes_the_batches_that_workers_make(schema):
    assert to_arrow_schema(spark_schema(schema)).equals(schema)


def test_a_vector_has_no_holes():
    (vector,) = (field for field in spark_schema(FEATURES).fields if field.name == "features")
    assert not vector.nullable
    assert not vector.dataType.containsNull
