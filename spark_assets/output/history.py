"""What an output holds: its runs, and the current rows of its tables.

For readers of the tables, `current_features` is the function to call: it leaves out runs that
never ended, images that a later run saw changed, and images that have become unusable.
"""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.files import names_in, read_json
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.schemas import FEATURES, REJECTED, spark_schema


def visible_runs(layout: OutputLayout) -> list[RunManifest]:
    """Return the finished runs, oldest first: those that have a manifest.

    A run with ``--overwrite`` hides all that came before it, from the moment it is finished.
    """
    manifests = []
    for name in names_in(layout.manifests):
        if name.endswith(".json"):
            value = read_json(layout.manifests.child(name))
            if value is not None:
                manifests.append(RunManifest.from_json(value))
    manifests.sort(key=lambda manifest: manifest.run_id)
    starts = [index for index, run in enumerate(manifests) if run.options["overwrite"]]
    return manifests[starts[-1] :] if starts else manifests


def current_features(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest] | None = None
) -> DataFrame:
    """Return one row of features for each image that is current, with its ``run_id``.

    An image is current in the newest run that looked at it; where that run rejected it, it has no
    features.  ``runs`` are the finished runs unless given.
    """
    runs = visible_runs(layout) if runs is None else runs
    return _current(spark, layout, runs, FEATURES)


def current_rejected(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest] | None = None
) -> DataFrame:
    """Return one row for each image whose newest outcome is a rejection, with its ``run_id``."""
    runs = visible_runs(layout) if runs is None else runs
    return _current(spark, layout, runs, REJECTED)


def _current(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest], schema: pa.Schema
) -> DataFrame:
    features = _table(spark, layout, runs, "features", FEATURES)
    rejected = _table(spark, layout, runs, "rejected", REJECTED)
    rows = features if schema is FEATURES else rejected
    if len(runs) < 2:
        return rows
    outcomes = features.select("path", "run_id").unionByName(rejected.select("path", "run_id"))
    newest = outcomes.groupBy("path").agg(F.max("run_id").alias("run_id"))
    return rows.join(newest, on=["path", "run_id"], how="left_semi").select(rows.columns)


def _table(
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    name: str,
    schema: pa.Schema,
) -> DataFrame:
    with_run = spark_schema(schema.append(pa.field("run_id", pa.string(), nullable=False)))
    if not runs:
        return spark.createDataFrame([], with_run)
    root = layout.output.child(name)
    paths = [root.child(f"run_id={run.run_id}").spark_path() for run in runs]
    return spark.read.schema(with_run).option("basePath", root.spark_path()).parquet(*paths)
