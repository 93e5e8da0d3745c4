"""Making a run visible, clearing up after it, and removing what ``--overwrite`` replaces."""

from spark_assets.features.feature_model import FeatureModel, load_facts, save_feature_model
from spark_assets.output.findings import dead_findings
from spark_assets.output.history import visible_runs
from spark_assets.output.layout import OutputLayout
from spark_assets.output.lease import check_lease
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import pca_records
from spark_assets.storage.files import delete_file, delete_folder, names_in, write_json


def commit_run(layout: OutputLayout, manifest: RunManifest, model: FeatureModel | None) -> None:
    """Make a run visible: its manifest is written last, whole or not at all.

    ``model`` is the network that made the features, None where the output holds it already.
    """
    if model is not None:
        folder = layout.feature_model(model.facts.network_sha256)
        if load_facts(folder) is None:
            save_feature_model(model, folder)
    check_lease(layout)
    write_json(layout.manifest(manifest.run_id), manifest.to_json())


def discard_run(layout: OutputLayout, run_id: str) -> None:
    """Remove what a run that did not end well has written."""
    delete_folder(layout.features(run_id))
    delete_folder(layout.rejected(run_id))
    delete_folder(layout.changes(run_id))
    clear_staging(layout, run_id)


def clear_staging(layout: OutputLayout, run_id: str) -> None:
    """Remove what a run needed only while it worked."""
    delete_folder(layout.staging(run_id))
    parent = layout.output.child("_staging")
    if not names_in(parent):
        delete_folder(parent)


def remove_replaced(layout: OutputLayout) -> None:
    """Remove every run that is no longer visible, and the PCA models and findings of such runs.

    Called once the run that replaces them is complete; being interrupted here loses nothing, since
    what is removed was hidden before.
    """
    runs = visible_runs(layout)
    kept = {f"run_id={run.run_id}" for run in runs}
    networks = {layout.feature_model(run.feature_model.network_sha256).base for run in runs}
    for name in names_in(layout.manifests):
        if f"run_id={name.removesuffix('.json')}" not in kept:
            delete_file(layout.manifests.child(name))
    _remove_all_but(layout, "features", kept)
    _remove_all_but(layout, "rejected", kept)
    _remove_all_but(layout, "changes", kept)
    models = {record.model_id for record in pca_records(layout, [run.run_id for run in runs])}
    _remove_all_but(layout, "pca_model", models)
    _remove_all_but(layout, "reduced", {f"model_id={model_id}" for model_id in models})
    _remove_all_but(layout, "feature_model", {base.rpartition("/")[2] for base in networks})
    for location in dead_findings(layout, runs):
        delete_folder(location)
        delete_file(location)


def _remove_all_but(layout: OutputLayout, table: str, kept: set[str]) -> None:
    folder = layout.output.child(table)
    for name in names_in(folder):
        if name not in kept:
            delete_folder(folder.child(name))
