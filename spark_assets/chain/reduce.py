"""Reduction of an output's current features: fit a PCA or take one, project, keep both."""

from collections.abc import Sequence

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.files import delete_folder
from spark_assets.locations import Location
from spark_assets.output.history import current_features
from spark_assets.output.ids import is_newest_model_id, new_model_id
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import (
    PCARecord,
    load_pca_model,
    pca_records,
    save_pca_model,
)
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.on_spark import compute_statistics, project_features
from spark_assets.schemas import REDUCED, spark_schema


def reduce_features(
    spark: SparkSession,
    output: Location,
    *,
    runs: Sequence[RunManifest],
    n_components: int | float,
    pca_model: Location | None,
) -> tuple[PCARecord, bool]:
    """Reduce the current features of ``runs``; return the record, and whether it is new.

    Nothing is done again where a model of the same features and the same request is there.  A
    projection keeps the id of its model, unless the output holds that or a later one already: the
    newest model is the one that the report shows.

    Raises FruitsError where there are no features, or the PCA does not fit them.
    """
    layout = OutputLayout(output)
    if not runs:
        raise FruitsError(
            f"there is no finished run in {output.uri}; make one with: "
            "fruits featurize --images URI --output URI"
        )
    given = None if pca_model is None else load_pca_model(pca_model)
    done = _same(pca_records(layout), runs, n_components, given)
    if done is not None:
        return done, False
    if given is not None and is_newest_model_id(layout, given[1].model_id):
        model_id = given[1].model_id
    else:
        model_id = new_model_id(layout)
    try:
        return _reduce(spark, layout, runs, n_components, given, model_id), True
    except BaseException:
        delete_folder(layout.reduced(model_id))
        delete_folder(layout.pca_model(model_id))
        raise


def _reduce(
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    n_components: int | float,
    given: tuple[PCAModel, PCARecord] | None,
    model_id: str,
) -> PCARecord:
    stopwatch = Stopwatch()
    network = runs[-1].feature_model.network_sha256
    features = current_features(spark, layout, runs)
    run_ids = [run.run_id for run in runs]
    if given is None:
        with stopwatch.stage("fit"):
            model = fit(compute_statistics(features), n_components)
        fitted_model_id, fitted_on = model_id, run_ids
    else:
        model, source = given
        fitted_model_id, fitted_on = source.fitted_model_id, source.fitted_on
        if source.network_sha256 != network:
            raise FruitsError(
                f"the PCA model {source.model_id} was fitted on features of another network than "
                f"those in {layout.output.uri}; fit one here by leaving out --pca-model"
            )
    with stopwatch.stage("project"):
        folder = layout.reduced(model_id).spark_path()
        n_files = max(1, sum(run.counts.n_features for run in runs) // 500_000)
        reduced = project_features(features, model)
        reduced.coalesce(n_files).write.parquet(folder)
        n_reduced = spark.read.schema(spark_schema(REDUCED)).parquet(folder).count()
    n_features_rows = features.agg(F.count("*")).first()
    if n_features_rows is None or n_reduced != n_features_rows[0]:
        raise FruitsError(
            f"{n_features_rows and n_features_rows[0]} rows of features gave {n_reduced} reduced "
            "rows; nothing of them is kept: run it again"
        )
    record = PCARecord(
        model_id=model_id,
        fitted_here=given is None,
        fitted_model_id=fitted_model_id,
        fitted_on=fitted_on,
        runs=run_ids,
        network_sha256=network,
        n_components=len(model.components),
        n_components_asked=str(n_components) if given is None else f"as in {fitted_model_id}",
        n_samples=model.n_samples,
        n_features=len(model.mean),
        n_reduced=n_reduced,
        explained_variance=model.explained_variance.tolist(),
        explained_variance_ratio=model.explained_variance_ratio.tolist(),
        seconds_by_stage=stopwatch.seconds,
    )
    save_pca_model(model, record, layout.pca_model(model_id))
    return record


def _same(
    records: Sequence[PCARecord],
    runs: Sequence[RunManifest],
    n_components: int | float,
    given: tuple[PCAModel, PCARecord] | None,
) -> PCARecord | None:
    """Return the newest model that answers the same request on the same runs."""
    run_ids = [run.run_id for run in runs]
    for record in reversed(records):
        if given is None:
            is_same = record.fitted_here and record.n_components_asked == str(n_components)
        else:
            is_same = record.fitted_model_id == given[1].fitted_model_id
        if is_same and record.runs == run_ids:
            return record
    return None
