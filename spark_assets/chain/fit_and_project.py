"""The reduce stage: fit a PCA to the features of an output, or project with the one it holds."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from spark_assets.chain.options import DEFAULT_N_COMPONENTS, ReduceOptions
from spark_assets.chain.pca_over_files import project_files, summarize
from spark_assets.chain.remove_rows import keep_columns
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change, begin, commit
from spark_assets.output.manifest import latest_run, new_run_id, next_id
from spark_assets.output.output import CLASSIFIER, FEATURES, PCA_MODEL, REDUCED, Output
from spark_assets.output.parquet_tables import TableFile, rows_by_run, table_files
from spark_assets.output.pca_model import (
    FIT_PATH,
    PCARecord,
    load_pca_model,
    load_reference,
    load_statistics,
    pca_files,
    pca_record,
)
from spark_assets.pca.drift import DriftReference, FitQuality, batch_fit
from spark_assets.pca.drift_sample import measure, reference_of
from spark_assets.pca.model import PCAModel, fit, parse_n_components
from spark_assets.pca.statistics import PCAStatistics
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.storage.files import Folder, to_json


@dataclass(frozen=True, slots=True)
class Reduction:
    """The result of the reduce stage.

    ``fit_quality`` is how well a PCA of an earlier run fits the ``n_projected`` new images.
    """

    record: PCARecord
    is_new_model: bool
    n_projected: int
    n_images: int
    fit_quality: FitQuality | None = None

    @property
    def has_changed(self) -> bool:
        """Whether the output was changed."""
        return self.is_new_model or self.n_projected > 0


@dataclass(frozen=True, slots=True)
class FeatureFiles:
    """Files of features, and their number of rows by run."""

    files: Sequence[TableFile]
    by_run: Counter[str]

    @classmethod
    def of(cls, files: Sequence[TableFile]) -> "FeatureFiles":
        return cls(files, rows_by_run(files))

    @property
    def n_rows(self) -> int:
        return self.by_run.total()


def reduce_features(spark: GetSpark, options: ReduceOptions) -> Reduction:
    """Reduce the features of an output, in one commit.

    New images are projected with the model of the output, so that their coordinates compare with
    those of earlier images.  A model is fitted where there is none, with ``refit``, and where
    another number of components is requested; it replaces the earlier one and all its projections.

    Raises FruitsError where there are no features, or the PCA does not fit them.
    """
    output = Output.open(options.output)
    latest = latest_run(output)
    if latest is None:
        raise FruitsError(
            f"there is no finished run in {output.uri}; make one with: "
            "fruits featurize --images URI --output URI"
        )
    external = None if options.pca_model is None else Folder.at(options.pca_model)
    held = pca_record(output)
    features = FeatureFiles.of(table_files(output, FEATURES))
    with begin(output.location, new_run_id(output)) as change:
        network = latest.feature_model.network_sha256
        if held is not None and _is_kept(held, options, external, features.by_run):
            reduction = _extend(spark, output, change, held, features, options.drift_alarm_rate)
        elif external is not None:
            reduction = _project_external(spark, output, change, features, network, external)
        else:
            n_components = _n_components(options, held)
            reduction = fit_pca(spark, output, change, features, network, n_components)
        commit(change)
        return reduction


def fit_pca(
    spark: GetSpark,
    output: Output,
    change: Change,
    features: FeatureFiles,
    network_sha256: str,
    n_components: int | float,
) -> Reduction:
    """Fit a PCA to the features of an output, and stage it with the projection of all images.

    Statistics merge exactly: where images were added, those of the added ones alone are computed.
    Where images were deleted or changed, those of all are: subtraction would save seconds, and
    lose digits where most of a scatter goes.

    Raises FruitsError where the features allow no PCA.
    """
    held = pca_record(output)
    stopwatch = Stopwatch()
    with stopwatch.stage("fit"):
        kept, fitted = _kept_statistics(output, held, features.by_run)
        counted = features.by_run.keys() - fitted
        summary = summarize(spark, features.files, features.n_rows, counted)
        statistics = kept.merge(summary.statistics)
        model = fit(statistics, n_components)
        reference = reference_of(summary.sample, model, statistics)
    with stopwatch.stage("project"):
        change.remove_folder(REDUCED)
        project_files(spark, features.files, features.n_rows, model, change)
    model_id = next_id([] if held is None else [held.model_id], datetime.now(UTC))
    record = PCARecord.from_model(
        model,
        model_id=model_id,
        fitted_here=True,
        fitted_model_id=model_id,
        fitted_on=dict(features.by_run),
        network_sha256=network_sha256,
        n_components_asked=str(n_components),
        seconds_by_stage=stopwatch.seconds,
    )
    return _replace(output, change, model, record, features, statistics, reference)


def is_fitted_on_deleted(record: PCARecord, by_run: Mapping[str, int]) -> bool:
    """Return whether images that the PCA was fitted on have been deleted."""
    return record.fitted_here and any(
        by_run.get(run_id, 0) < n_rows for run_id, n_rows in record.fitted_on.items()
    )


def _is_kept(
    held: PCARecord, options: ReduceOptions, external: Folder | None, by_run: Mapping[str, int]
) -> bool:
    """Return whether the model of the output is the requested one."""
    if external is not None:
        is_meant = held.fitted_model_id == load_pca_model(external)[1].fitted_model_id
    else:
        requested = options.n_components
        is_meant = requested is None or (
            held.fitted_here and held.n_components_asked == str(requested)
        )
    differs_after_refit = not held.fitted_here or held.fitted_on != dict(by_run)
    return is_meant and not (options.refit and differs_after_refit)


def _n_components(options: ReduceOptions, held: PCARecord | None) -> int | float:
    """Return the option, or that with which the model of the output was fitted."""
    if options.n_components is not None:
        return options.n_components
    if held is None or not held.fitted_here:
        return parse_n_components(DEFAULT_N_COMPONENTS)
    return parse_n_components(held.n_components_asked)


def _extend(
    spark: GetSpark,
    output: Output,
    change: Change,
    record: PCARecord,
    features: FeatureFiles,
    alarm_rate: float,
) -> Reduction:
    """Project the images without reduced rows; no other features are read."""
    reduced = output.files(REDUCED)
    new = FeatureFiles.of([file for file in features.files if file.name not in reduced])
    if not new.files:
        return Reduction(record, False, 0, features.n_rows)
    folder = output.folder(PCA_MODEL)
    model, _ = load_pca_model(folder)
    project_files(spark, new.files, new.n_rows, model, change)
    quality, reference = None, load_reference(folder)
    if reference is not None:
        batch = measure(summarize(spark, new.files, new.n_rows, counted=()).sample, model)
        quality = batch_fit(reference, batch, alarm_rate=alarm_rate)
        change.put(FIT_PATH, to_json(quality.to_json()))
    keep_columns(output, change)
    return Reduction(record, False, new.n_rows, features.n_rows, quality)


def _project_external(
    spark: GetSpark,
    output: Output,
    change: Change,
    features: FeatureFiles,
    network_sha256: str,
    external: Folder,
) -> Reduction:
    """Stage the model of another output, and its projection of all images."""
    model, source = load_pca_model(external)
    if source.network_sha256 != network_sha256:
        raise FruitsError(
            f"the PCA model {source.model_id} was fitted on features of another network than "
            f"those in {output.uri}; fit one here by leaving out --pca-model"
        )
    stopwatch = Stopwatch()
    with stopwatch.stage("project"):
        change.remove_folder(REDUCED)
        project_files(spark, features.files, features.n_rows, model, change)
    record = PCARecord.from_model(
        model,
        model_id=source.model_id,
        fitted_here=False,
        fitted_model_id=source.fitted_model_id,
        fitted_on=source.fitted_on,
        network_sha256=network_sha256,
        n_components_asked=f"as in {source.fitted_model_id}",
        seconds_by_stage=stopwatch.seconds,
    )
    return _replace(output, change, model, record, features, None, load_reference(external))


def _kept_statistics(
    output: Output, held: PCARecord | None, by_run: Mapping[str, int]
) -> tuple[PCAStatistics, set[str]]:
    """Return the statistics of the output that are still valid, and the runs in them."""
    if held is not None and held.fitted_here and not is_fitted_on_deleted(held, by_run):
        statistics = load_statistics(output)
        if statistics is not None:
            return statistics, set(held.fitted_on)
    return PCAStatistics.empty(), set()


def _replace(
    output: Output,
    change: Change,
    model: PCAModel,
    record: PCARecord,
    features: FeatureFiles,
    statistics: PCAStatistics | None,
    reference: DriftReference | None,
) -> Reduction:
    """Replace the model of the output, and the classifier that was fitted on its projection."""
    files = pca_files(model, record, statistics=statistics, reference=reference)
    change.put_folder(PCA_MODEL, files)
    change.remove_folder(CLASSIFIER)
    return Reduction(record, True, features.n_rows, features.n_rows)
