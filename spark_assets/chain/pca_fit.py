"""The fit of a PCA to an output's current features: from those that are new, where that is exact.

Statistics merge exactly, so that a fit after additions reads what was added and no more.  They are
not subtracted for what has gone or changed: that loses digits where most of a scatter goes, and
saves seconds.  All current features are read then.
"""

from collections.abc import Sequence

from pyspark.sql import SparkSession

from spark_assets.output.history import current_features, only_adds
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_statistics
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.on_spark import compute_statistics
from spark_assets.pca.statistics import PCAStatistics


def fit_here(
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    records: Sequence[PCARecord],
    n_components: int | float,
) -> tuple[PCAModel, PCAStatistics]:
    """Fit a PCA to the current features of ``runs``; return it with what it was fitted from.

    ``records`` are the models that are there.  Raises FruitsError where the features allow no PCA.
    """
    kept, later = _kept_statistics(layout, runs, records)
    statistics = kept
    if any(run.counts.n_features for run in later):
        added = current_features(spark, layout, runs, made_by=later)
        statistics = kept.merge(compute_statistics(added))
    return fit(statistics, n_components), statistics


def _kept_statistics(
    layout: OutputLayout, runs: Sequence[RunManifest], records: Sequence[PCARecord]
) -> tuple[PCAStatistics, Sequence[RunManifest]]:
    """Return statistics that still hold, and the runs that are not in them."""
    for record in reversed(records):
        n_fitted = len(record.fitted_on)
        later = runs[n_fitted:]
        is_a_beginning = record.fitted_on == [run.run_id for run in runs[:n_fitted]]
        if record.fitted_here and is_a_beginning and only_adds(later):
            kept = load_statistics(layout.pca_model(record.model_id))
            if kept is not None:
                return kept, later
    return PCAStatistics.empty(), runs
