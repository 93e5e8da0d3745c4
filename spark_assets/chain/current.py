"""The current features of an output, sampled and projected: by the driver if few, or by Spark."""

from collections.abc import Sequence

import pyarrow as pa

from spark_assets.errors import FruitsError
from spark_assets.output.history import are_all_current, current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.small_current import small_features
from spark_assets.output.small_tables import count_rows, write_table
from spark_assets.pca.batches import project_batches
from spark_assets.pca.drift_on_spark import collect_sample
from spark_assets.pca.model import PCAModel
from spark_assets.pca.on_spark import project_features
from spark_assets.pca.sample import Sample
from spark_assets.schemas import FEATURES, REDUCED
from spark_assets.session_on_demand import GetSession


def sample_of(
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    made_by: Sequence[RunManifest],
) -> Sample:
    """Return the sample of the current features that some runs have made."""
    small = small_features(layout, runs, made_by)
    if small is not None:
        return Sample.of_table(pa.concat_tables([FEATURES.empty_table(), *small.values()]))
    features = current_features(session(), layout, runs, made_by=made_by)
    return collect_sample(features, features.count())


def project_current(
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    new: Sequence[RunManifest],
    model_id: str,
    model: PCAModel,
) -> int:
    """Write the reduced rows of what the runs ``new`` have found, a folder for each; count them.

    Raises FruitsError where they are not as many as the rows of features.
    """
    small = small_features(layout, runs, new)
    if small is None:
        features = current_features(session(), layout, runs, made_by=new)
        n_files = max(1, sum(run.counts.n_features for run in new) // 500_000)
        reduced = project_features(features, model, keep=["run_id"])
        folder = layout.reduced(model_id).spark_path()
        reduced.coalesce(n_files).write.mode("append").partitionBy("run_id").parquet(folder)
        n_written = sum(run.counts.n_features for run in new)
        n_features_rows = n_written if are_all_current(layout, runs) else features.count()
    else:
        n_features_rows = sum(table.num_rows for table in small.values())
        for run_id, table in small.items():
            batches = project_batches(model, REDUCED, table.to_batches())
            rows = pa.Table.from_batches(batches, REDUCED)
            write_table(rows, layout.reduced_by(model_id, run_id))
    n_reduced = sum(count_rows(layout.reduced_by(model_id, run.run_id)) for run in new)
    if n_reduced != n_features_rows:
        raise FruitsError(
            f"{n_features_rows} rows of features gave {n_reduced} reduced rows; nothing of them "
            "is kept: run it again"
        )
    return n_reduced
