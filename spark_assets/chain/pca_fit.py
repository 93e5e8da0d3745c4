"""The fit of a PCA to an output's current features: from those that are new, where that is exact.

Statistics merge exactly, so that after additions those of what was added are computed and no more.
They are not subtracted for what has gone or changed: that loses digits where most of a scatter
goes, and saves seconds.  Those of all current features are computed then.
"""

from collections.abc import Sequence

from spark_assets.chain.current import summarize
from spark_assets.output.history import only_adds
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_statistics
from spark_assets.output.table_files import CurrentFiles
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.sample import Sample
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.runtime.spark_on_demand import GetSpark


def fit_here(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    records: Sequence[PCARecord],
    features: CurrentFiles,
    n_components: int | float,
) -> tuple[PCAModel, PCAStatistics, Sample]:
    """Fit a PCA to the current features of ``runs``; return it, its statistics and a sample.

    ``records`` are the models that are there.  Raises FruitsError where the features allow no PCA.
    """
    kept, later = _kept_statistics(layout, runs, records)
    summary = summarize(spark, features, [run.run_id for run in later])
    statistics = kept.merge(summary.statistics)
    return fit(statistics, n_components), statistics, summary.sample


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
