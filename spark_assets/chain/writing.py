"""The tables of a run, written from what tasks have kept of images: by Spark, or here where few."""

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.plan import Plan
from spark_assets.chain.renames import take_over_features
from spark_assets.chain.started_run import StartedRun
from spark_assets.features.on_spark import rows_per_file, split_outcomes
from spark_assets.locations import Location
from spark_assets.output.history import features_of
from spark_assets.output.small_tables import is_small, read_table, write_table
from spark_assets.schemas import CHANGES, FEATURES, OUTCOMES, REJECTED, Outcome, spark_schema
from spark_assets.session_on_demand import GetSession


def kept_outcomes(run: StartedRun) -> Location:
    """Return the folder in which tasks keep `schemas.OUTCOMES` of the images they look at."""
    return run.staging.child("outcomes")


def write_tables(session: GetSession, run: StartedRun, plan: Plan, n_features: int) -> None:
    """Write features, rejected images and changes of a run, each ordered by path."""
    if plan.renamed is None and is_small(plan.n_images + plan.n_gone):
        _write_here(run, plan, n_features)
    else:
        _write_on_spark(session(), run, plan, n_features)


def _write_here(run: StartedRun, plan: Plan, n_features: int) -> None:
    kept = [kept_outcomes(run)] if plan.n_to_featurize else []
    outcomes = read_table(kept, OUTCOMES).sort_by("path")
    is_usable = pc.is_null(outcomes.column("reason"))
    if plan.n_to_featurize:
        write_table(
            outcomes.filter(is_usable).select(FEATURES.names).cast(FEATURES),
            run.layout.features(run.run_id),
            rows_per_file=rows_per_file(plan.n_images, n_features),
        )
        rejected = outcomes.filter(pc.invert(is_usable)).select(REJECTED.names).cast(REJECTED)
        write_table(rejected, run.layout.rejected(run.run_id))
    outcome = pc.if_else(is_usable, str(Outcome.FEATURES), str(Outcome.REJECTED))
    found = outcomes.append_column("outcome", outcome).select(CHANGES.names).cast(CHANGES)
    changes = pa.concat_tables([found, _gone_here(plan)]).sort_by("path")
    write_table(changes, run.layout.changes(run.run_id))


def _gone_here(plan: Plan) -> pa.Table:
    if plan.gone is None:
        return CHANGES.empty_table()
    paths = plan.gone.toArrow().column("path") if isinstance(plan.gone, DataFrame) else plan.gone
    columns = {field.name: pa.nulls(len(paths), field.type) for field in CHANGES}
    columns |= {"path": paths, "outcome": pa.repeat(str(Outcome.GONE), len(paths))}
    return pa.table(columns, CHANGES)


def _write_on_spark(spark: SparkSession, run: StartedRun, plan: Plan, n_features: int) -> None:
    parts: list[DataFrame] = []
    if plan.n_to_featurize:
        schema = spark_schema(OUTCOMES)
        parts.append(spark.read.schema(schema).parquet(kept_outcomes(run).spark_path()))
    if plan.renamed is not None:
        held = features_of(spark, run.layout, run.earlier)
        parts.append(take_over_features(held, plan.renamed))
    changed = [] if plan.gone is None else [_gone(spark, plan.gone)]
    if parts:
        outcomes = parts[0] if len(parts) == 1 else parts[0].unionByName(parts[1])
        split_outcomes(
            outcomes,
            features=run.layout.features(run.run_id),
            rejected=run.layout.rejected(run.run_id),
            n_images=plan.n_images,
            n_features=n_features,
        )
        changed.append(_found(outcomes))
    changes = changed[0] if len(changed) == 1 else changed[0].unionByName(changed[1])
    changes.coalesce(1).sortWithinPartitions("path").write.parquet(
        run.layout.changes(run.run_id).spark_path()
    )


def _found(outcomes: DataFrame) -> DataFrame:
    """Return rows of `schemas.CHANGES` for images that were looked at."""
    is_usable = F.col("reason").isNull()
    outcome = F.when(is_usable, str(Outcome.FEATURES)).otherwise(str(Outcome.REJECTED))
    return outcomes.withColumn("outcome", outcome).select(*CHANGES.names)


def _gone(spark: SparkSession, gone: DataFrame | Sequence[str]) -> DataFrame:
    """Return rows of `schemas.CHANGES` for images that the source no longer has."""
    if not isinstance(gone, DataFrame):
        gone = spark.createDataFrame([(path,) for path in gone], "path string")
    nothing = {
        field.name: F.lit(None).cast(field.dataType)
        for field in spark_schema(CHANGES)
        if field.name != "path"
    }
    return gone.withColumns({**nothing, "outcome": F.lit(str(Outcome.GONE))}).select(*CHANGES.names)
