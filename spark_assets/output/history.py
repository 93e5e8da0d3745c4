"""What an output holds: its runs, and the current rows of its tables.

For readers of the tables, `current_features` and `current_reduced` are the functions to call: they
leave out runs that never ended, and images that have changed, become unusable or gone since.
"""

from collections.abc import Sequence

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from spark_assets.output.erasing import hidden_paths
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.storage.files import names_in, read_json
from spark_assets.storage.schemas import CHANGES, FEATURES, REDUCED, REJECTED, Outcome, spark_schema


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


def n_current_features(runs: Sequence[RunManifest]) -> int:
    """Return how many images have current features, without a look at any table."""
    return sum(run.counts.n_features - run.counts.n_outdated for run in runs)


def only_adds(runs: Sequence[RunManifest]) -> bool:
    """Tell whether no run has outdated a row of features of an earlier one."""
    return not any(run.counts.n_outdated for run in runs)


def are_all_current(layout: OutputLayout, runs: Sequence[RunManifest]) -> bool:
    """Tell whether every row of features, reduced or not, still counts, without reading any."""
    return only_adds(runs) and not hidden_paths(layout)


def are_all_rejections_current(layout: OutputLayout, runs: Sequence[RunManifest]) -> bool:
    """Tell the same of rejected images: a later run that only adds may have found one good."""
    return len(runs) < 2 and not hidden_paths(layout)


def current_state(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest] | None = None
) -> DataFrame:
    """Return a row for each image that is current: `schemas.CHANGES`, with the run that decided.

    The newest run that found something of an image decides about it.  Read from the narrow tables
    of changes alone.  ``runs`` are the finished runs unless given.
    """
    runs = visible_runs(layout) if runs is None else runs
    changes = changes_of(spark, layout, runs)
    if len(runs) > 1:
        row = F.struct(*changes.columns)
        newest = changes.groupBy("path").agg(F.max_by(row, "run_id").alias("newest"))
        changes = newest.select("newest.*").where(F.col("outcome") != str(Outcome.GONE))
    hidden = hidden_paths(layout)
    if not hidden:
        return changes
    erased = spark.createDataFrame([(path,) for path in hidden], "path string")
    return changes.join(erased, on="path", how="left_anti").select(changes.columns)


def changes_of(spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest]) -> DataFrame:
    """Return all that some runs have noted of images: `schemas.CHANGES` with the ``run_id``."""
    return _table(spark, layout, "changes", CHANGES, [run.run_id for run in runs])


def current_features(
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest] | None = None,
    *,
    made_by: Sequence[RunManifest] | None = None,
) -> DataFrame:
    """Return one row of features for each image that is current, with its ``run_id``.

    ``runs`` are the finished runs unless given; of their rows, those that the runs ``made_by`` have
    written, unless all.  No other run's features are read.
    """
    runs = visible_runs(layout) if runs is None else runs
    rows = features_of(spark, layout, runs if made_by is None else made_by)
    return _current(spark, layout, runs, rows)


def features_of(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest]
) -> DataFrame:
    """Return every row of features that some runs have written, current or not."""
    with_rows = [run.run_id for run in runs if run.counts.n_features]
    return _table(spark, layout, "features", FEATURES, with_rows)


def current_rejected(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest] | None = None
) -> DataFrame:
    """Return one row for each image whose newest outcome is a rejection, with its ``run_id``."""
    runs = visible_runs(layout) if runs is None else runs
    with_rows = [run.run_id for run in runs if run.counts.n_rejected]
    rows = _table(spark, layout, "rejected", REJECTED, with_rows)
    if are_all_rejections_current(layout, runs):
        return rows
    return _join_state(spark, layout, runs, rows)


def current_reduced(
    spark: SparkSession,
    layout: OutputLayout,
    model_id: str,
    projected: Sequence[str],
    runs: Sequence[RunManifest] | None = None,
) -> DataFrame:
    """Return the row of each current image in the space of one PCA model, with its ``run_id``.

    ``projected`` are the runs whose images have been projected with that model.
    """
    runs = visible_runs(layout) if runs is None else runs
    visible = {run.run_id for run in runs} & set(projected)
    # All folders: one whose images have all changed before they were projected has none.
    folder = layout.reduced(model_id).spark_path()
    rows = spark.read.schema(_with_run(REDUCED)).parquet(folder)
    return _current(spark, layout, runs, rows.where(F.col("run_id").isin(visible)))


def _current(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest], rows: DataFrame
) -> DataFrame:
    """Leave out the rows of features, reduced or not, that no longer count."""
    if are_all_current(layout, runs):
        return rows
    return _join_state(spark, layout, runs, rows)


def _join_state(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest], rows: DataFrame
) -> DataFrame:
    state = current_state(spark, layout, runs).select("path", "run_id")
    return rows.join(state, on=["path", "run_id"], how="left_semi").select(rows.columns)


def _table(
    spark: SparkSession,
    layout: OutputLayout,
    name: str,
    schema: pa.Schema,
    run_ids: Sequence[str],
) -> DataFrame:
    with_run = _with_run(schema)
    if not run_ids:
        return spark.createDataFrame([], with_run)
    root = layout.output.child(name)
    paths = [root.child(f"run_id={run_id}").spark_path() for run_id in run_ids]
    return spark.read.schema(with_run).option("basePath", root.spark_path()).parquet(*paths)


def _with_run(schema: pa.Schema) -> StructType:
    return spark_schema(schema.append(pa.field("run_id", pa.string(), nullable=False)))
