"""Reduction of an output's current features: with the model that is there, or with a new one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from spark_assets.chain.current import project_files, summarize
from spark_assets.chain.options import DEFAULT_N_COMPONENTS, ReduceOptions
from spark_assets.chain.pca_fit import fit_here
from spark_assets.chain.stopwatch import Stopwatch
from spark_assets.errors import FruitsError
from spark_assets.output.ids import is_newest_model_id, new_model_id
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import (
    PCARecord,
    Projection,
    load_pca_model,
    load_reference,
    newest_answer,
    pca_records,
    projected_runs,
    save_pca_model,
    save_projection,
)
from spark_assets.output.state import feature_files
from spark_assets.pca.drift import DriftReference, FitQuality, batch_fit
from spark_assets.pca.model import PCAModel, parse_n_components
from spark_assets.pca.sample import measure, reference_of
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.files import delete_folder
from spark_assets.storage.locations import Location

# A model from another place, its record, and what new images are compared with.
Given: TypeAlias = tuple[PCAModel, PCARecord, DriftReference | None]


@dataclass(frozen=True, slots=True)
class Reduction:
    """What a reduction came to: the model, whether it is new, and how many images it projected.

    ``fit`` tells how well a model that was there fits what is new.
    """

    record: PCARecord
    is_new_model: bool
    n_projected: int
    fit: FitQuality | None = None

    @property
    def has_work_done(self) -> bool:
        """Whether there is anything that was not there before."""
        return self.is_new_model or self.n_projected > 0


def reduce_features(
    spark: GetSpark, options: ReduceOptions, runs: Sequence[RunManifest]
) -> Reduction:
    """Reduce the current features of ``runs``.

    Images are projected with the newest model that answers the request, so that their coordinates
    can be compared with those of earlier ones.  A model is made where there is none, or with
    ``refit``.  One that is given keeps its id, unless the output holds that or a later one already.

    Raises FruitsError where there are no features, or the PCA does not fit them.
    """
    layout = OutputLayout(options.output)
    if not runs:
        raise FruitsError(
            f"there is no finished run in {options.output.uri}; make one with: "
            "fruits featurize --images URI --output URI"
        )
    records = pca_records(layout, [run.run_id for run in runs])
    given = None if options.pca_model is None else _load_given(options.pca_model)
    held = newest_answer(
        records,
        n_components=None if options.n_components is None else str(options.n_components),
        fitted_model_id=None if given is None else given[1].fitted_model_id,
    )
    if held is not None and not (options.refit and _is_outdated(held, runs)):
        return _extend(spark, layout, runs, held, options.drift_alarm_rate)
    n_components = _n_components(options, records)
    return make_model(spark, layout, runs, records, n_components, given=given)


def make_model(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    records: Sequence[PCARecord],
    n_components: int | float,
    *,
    given: Given | None = None,
) -> Reduction:
    """Fit a model to the current features of ``runs``, or take the given one, and project with it.

    ``records`` are the models whose statistics may be merged.  Where it fails, nothing of it stays.
    """
    model_id = _model_id(layout, given)
    try:
        return _make(spark, layout, runs, records, given, n_components, model_id)
    except BaseException:
        delete_folder(layout.reduced(model_id))
        delete_folder(layout.pca_model(model_id))
        raise


def _load_given(folder: Location) -> Given:
    model, record = load_pca_model(folder)
    return model, record, load_reference(folder)


def _is_outdated(record: PCARecord, runs: Sequence[RunManifest]) -> bool:
    """Tell whether a fit of the current features would be another."""
    return not record.fitted_here or record.fitted_on != [run.run_id for run in runs]


def _n_components(options: ReduceOptions, records: Sequence[PCARecord]) -> int | float:
    """Return what was asked for, or what the newest model was fitted with."""
    if options.n_components is not None:
        return options.n_components
    fitted = [record for record in records if record.fitted_here]
    asked = fitted[-1].n_components_asked if fitted else DEFAULT_N_COMPONENTS
    return parse_n_components(asked)


def _model_id(layout: OutputLayout, given: Given | None) -> str:
    if given is not None and is_newest_model_id(layout, given[1].model_id):
        return given[1].model_id
    return new_model_id(layout)


def _extend(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord,
    alarm_rate: float,
) -> Reduction:
    """Project what has come since a model was made or last used: no other features are read."""
    done = set(projected_runs(layout, record))
    new = [run for run in runs if run.run_id not in done and run.counts.n_features]
    if not new:
        return Reduction(record, is_new_model=False, n_projected=0)
    stopwatch = Stopwatch()
    folder = layout.pca_model(record.model_id)
    model, _ = load_pca_model(folder)
    with stopwatch.stage("project"):
        features = feature_files(layout, runs, new)
        n_reduced = project_files(spark, features, model, layout, record.model_id)
    fit, reference = None, load_reference(folder)
    if reference is not None:
        with stopwatch.stage("drift"):
            batch = measure(summarize(spark, features, counted=()).sample, model)
            fit = batch_fit(reference, batch, alarm_rate=alarm_rate)
    projection = Projection(
        model_id=record.model_id,
        runs=[run.run_id for run in new],
        n_reduced=n_reduced,
        fit=None if fit is None else fit.to_json(),
        seconds_by_stage=stopwatch.seconds,
    )
    check_lease(layout)
    save_projection(layout, projection)
    return Reduction(record, is_new_model=False, n_projected=n_reduced, fit=fit)


def _make(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    records: Sequence[PCARecord],
    given: Given | None,
    n_components: int | float,
    model_id: str,
) -> Reduction:
    stopwatch = Stopwatch()
    network = runs[-1].feature_model.network_sha256
    run_ids = [run.run_id for run in runs]
    features = feature_files(layout, runs, runs)
    reference: DriftReference | None
    if given is None:
        with stopwatch.stage("fit"):
            model, statistics, sample = fit_here(
                spark, layout, runs, records, features, n_components
            )
            reference = reference_of(sample, model, statistics)
        fitted_model_id, fitted_on = model_id, run_ids
    else:
        model, source, reference = given
        statistics = None
        fitted_model_id, fitted_on = source.fitted_model_id, source.fitted_on
        if source.network_sha256 != network:
            raise FruitsError(
                f"the PCA model {source.model_id} was fitted on features of another network than "
                f"those in {layout.output.uri}; fit one here by leaving out --pca-model"
            )
    with stopwatch.stage("project"):
        n_reduced = project_files(spark, features, model, layout, model_id)
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
    check_lease(layout)
    save_pca_model(
        model,
        record,
        layout.pca_model(model_id),
        statistics=statistics,
        reference=reference,
    )
    return Reduction(record, is_new_model=True, n_projected=n_reduced)
