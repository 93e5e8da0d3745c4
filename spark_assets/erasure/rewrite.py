"""The middle of an erasure: tables, models and the report, without the images.

Each part is done from the journal alone and comes to the same
when it is done again, so that an interruption costs no more than time.
"""

from collections.abc import Sequence
from dataclasses import replace

from spark_assets.chain.messages import say_reduced
from spark_assets.chain.options import ReportOptions
from spark_assets.chain.reduce import make_model
from spark_assets.chain.report import make_report, write_report
from spark_assets.erasure.recount import recount_runs
from spark_assets.erasure.tables import Rewritten, remove_rows
from spark_assets.errors import FruitsError
from spark_assets.output.artefacts import registered_artefacts, remove_artefact
from spark_assets.output.erasing import PendingErasure, note_erasure, pending_erasures
from spark_assets.output.history import n_current_features, visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import (
    PCARecord,
    pca_records,
    projections,
    save_projection,
)
from spark_assets.pca.model import parse_n_components
from spark_assets.runtime.progress import say
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.files import delete_folder, names_in, read_bytes
from spark_assets.storage.locations import Location
from spark_assets.storage.schemas import Outcome


def rewrite_output(
    spark: GetSpark, layout: OutputLayout, erasure: PendingErasure, *, max_points: int
) -> Rewritten:
    """Remove all that an output holds of some images; return what became of feature files."""
    rewritten = _rewrite(spark, layout, erasure, max_points=max_points)
    note_erasure(layout, replace(erasure, is_rewritten=True))
    return rewritten


def rewrite_unfinished(spark: GetSpark, layout: OutputLayout, *, max_points: int) -> None:
    """Go on where an erasure was interrupted, so that a run builds on nothing that has to go.

    Photographs and old versions are left to ``fruits erase``, which has the rights to remove them.
    """
    for erasure in pending_erasures(layout):
        if not erasure.is_rewritten:
            rewrite_output(spark, layout, erasure, max_points=max_points)
        say(
            f"WARNING: the erasure {erasure.erasure_id} has begun and is not finished; finish it "
            f"with: fruits erase --output {layout.output.uri} --finish"
        )


def _rewrite(
    spark: GetSpark, layout: OutputLayout, erasure: PendingErasure, *, max_points: int
) -> Rewritten:
    rewritten = _remove_rows(layout, erasure)
    runs = recount_runs(layout, visible_runs(layout))
    for artefact in registered_artefacts(layout):
        if artefact.name in erasure.artefacts:
            remove_artefact(layout, artefact)
    record = _refit(spark, layout, runs, set(erasure.model_ids))
    for model_id in erasure.model_ids:
        delete_folder(layout.reduced(model_id))
        delete_folder(layout.pca_model(model_id))
    if read_bytes(layout.report) is not None and runs:
        options = ReportOptions(layout.output, max_points, verbose=False)
        write_report(layout, make_report(spark, options, runs, record))
    return rewritten


def _remove_rows(layout: OutputLayout, erasure: PendingErasure) -> Rewritten:
    """Remove the rows of the images from every table; return what became of feature files."""
    found = erasure.runs_by_outcome
    rewritten = Rewritten()
    for run_id in found[Outcome.FEATURES]:
        rewritten += remove_rows(layout.features(run_id), erasure.paths)
    for run_id in found[Outcome.REJECTED]:
        remove_rows(layout.rejected(run_id), erasure.paths)
    for folder in _reduced(layout, erasure):
        remove_rows(folder, erasure.paths)
    _forget_fits(layout, erasure)
    for run_id in sorted({run_id for run_ids in found.values() for run_id in run_ids}):
        remove_rows(layout.changes(run_id), erasure.paths)
    return rewritten


def _reduced(layout: OutputLayout, erasure: PendingErasure) -> list[Location]:
    """Return the reduced rows of the models that stay: those fitted elsewhere, or before."""
    models = [model for model in names_in(layout.pca_models) if model not in erasure.model_ids]
    return [
        layout.reduced_by(model, run_id)
        for model in models
        for run_id in erasure.runs_by_outcome[Outcome.FEATURES]
    ]


def _forget_fits(layout: OutputLayout, erasure: PendingErasure) -> None:
    """Remove how well models fitted the images, which names labels that were new."""
    for model_id in names_in(layout.pca_models):
        for projection in projections(layout, model_id):
            if set(projection.runs) & set(erasure.runs_by_outcome[Outcome.FEATURES]):
                save_projection(layout, replace(projection, fit=None))


def _refit(
    spark: GetSpark, layout: OutputLayout, runs: Sequence[RunManifest], dropped: set[str]
) -> PCARecord | None:
    """Return the model to go on with: the newest one if it stays, or one fitted in its place."""
    records = pca_records(layout, [run.run_id for run in runs])
    kept = [record for record in records if record.model_id not in dropped]
    if not records or records[-1].model_id not in dropped:
        return records[-1] if records else None
    # An interrupted erasure may have been here before: its model is newer than what it drops.
    if not n_current_features(runs):
        return None
    try:
        n_components = parse_n_components(records[-1].n_components_asked)
        reduction = make_model(spark, layout, runs, kept, n_components)
    except FruitsError as error:
        say(f"no PCA model takes the place of those that are removed: {error}")
        return kept[-1] if kept else None
    say_reduced(reduction, n_current_features(runs))
    return reduction.record
