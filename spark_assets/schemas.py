"""Column names and types of every table: the only place that states them."""

from pyspark.sql.types import (
    ArrayType,
    FloatType,
    IntegerType,
    LongType,
    StringType,
    StructField,
    StructType,
    TimestampType,
)

# What a listing yields, and what a featurizing task takes in.
IMAGES = StructType(
    [
        StructField("path", StringType(), nullable=False),
        StructField("label", StringType()),
        StructField("size_bytes", LongType()),
        StructField("modified_at", TimestampType()),
    ]
)

FEATURES = StructType(
    [
        StructField("path", StringType(), nullable=False),
        StructField("label", StringType()),
        StructField("content_sha256", StringType(), nullable=False),
        StructField("size_bytes", LongType(), nullable=False),
        StructField("modified_at", TimestampType()),
        StructField("width", IntegerType(), nullable=False),
        StructField("height", IntegerType(), nullable=False),
        StructField("features", ArrayType(FloatType(), containsNull=False), nullable=False),
    ]
)

REJECTED = StructType(
    [
        *IMAGES.fields,
        StructField("reason", StringType(), nullable=False),
        StructField("detail", StringType(), nullable=False),
    ]
)

REDUCED = StructType(
    [
        StructField("path", StringType(), nullable=False),
        StructField("label", StringType()),
        StructField("pca_features", ArrayType(FloatType(), containsNull=False), nullable=False),
    ]
)
