"""The fit of a PCA to an output's current features: from those that are new, where that is exact.

Statistics merge exactly, so that a fit after additions reads what was added and no more.  They are
not subtracted for what has gone or changed: that loses digits where most of a scatter goes, and
saves seconds.  All current features are read then.
"""

from collections.abc import Sequence
from itertools import chain

from spark_assets.output.history import current_features, only_adds
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_statistics
from spark_assets.output.small_current import small_features
from spark_assets.pca.batches import statistics_of
from spark_assets.pca.model import PCAModel, fit
from spark_assets.pca.on_spark import compute_statistics
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.session_on_demand import GetSession


def fit_here(
    session: GetSession,
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
        statistics = kept.merge(_statistics(session, layout, runs, later))
    return fit(statistics, n_components), statistics


def _statistics(
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    made_by: Sequence[RunManifest],
) -> PCAStatistics:
    small = small_features(layout, runs, made_by)
    if small is None:
        return compute_statistics(current_features(session(), layout, runs, made_by=made_by))
    columns = (table.column("features").chunks for table in small.values())
    return statistics_of(chain.from_iterable(columns))


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
