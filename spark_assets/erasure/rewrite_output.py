"""The second step of an erasure: tables, models and report without the images, in one commit.

It needs only the journal and is idempotent, so that an interruption costs time and nothing else.
"""

from dataclasses import replace

from spark_assets.chain.fit_and_project import FeatureFiles, fit_pca, is_fitted_on_deleted
from spark_assets.chain.make_report import language_of_report, make_report
from spark_assets.chain.remove_rows import Rewritten, keep_columns, remove_rows
from spark_assets.chain.stage_messages import log_reduction, log_report
from spark_assets.erasure.erasure_request import ErasureRequest, Selection, select
from spark_assets.errors import FruitsError
from spark_assets.output.commit import Change, begin, commit
from spark_assets.output.erasure_journal import PendingErasure, pending_erasures, write_journal
from spark_assets.output.evaluation_record import fitted_on
from spark_assets.output.manifest import new_run_id, run_ids
from spark_assets.output.output import CLASSIFIER, FEATURES, PCA_MODEL, REDUCED, REPORT, Output
from spark_assets.output.parquet_tables import rows_by_run, table_files
from spark_assets.output.pca_model import FIT_PATH, PCARecord, pca_record
from spark_assets.pca.model import parse_n_components
from spark_assets.runtime.progress import echo
from spark_assets.runtime.spark_context import GetSpark


def rewrite_output(
    spark: GetSpark, output: Output, erasure: PendingErasure, *, max_points: int
) -> Rewritten:
    """Remove the images from an output; return how many rows and files of features changed."""
    with begin(output.location, new_run_id(output)) as change:
        earlier = output.read(REPORT)
        outdated = _selected(output, erasure).rows.select(["path", "file"])
        rewritten = remove_rows(spark, output, change, outdated)
        change.remove([FIT_PATH])  # it names labels
        _replace_models(spark, output, change)
        keep_columns(output, change)
        after = output.after(change)
        if earlier is not None and run_ids(after):
            page = make_report(spark, after, max_points, language_of_report(earlier))
            change.put(REPORT, page.encode())
            log_report(output)
        commit(change)
    write_journal(output, replace(erasure, is_rewritten=True))
    return rewritten


def rewrite_unfinished(spark: GetSpark, output: Output, *, max_points: int) -> None:
    """Rewrite an output whose erasure was interrupted, before a run builds on it.

    Photographs and old versions are left to ``fruits erase``, which has the permissions for them.
    """
    for erasure in pending_erasures(output):
        # A photograph that could not be removed was rejected by a run since, and has a row.
        if not erasure.is_rewritten or _selected(output, erasure).paths:
            rewrite_output(spark, output, erasure, max_points=max_points)
        echo(
            f"WARNING: the erasure {erasure.erasure_id} is not finished; finish it with: "
            f"fruits erase --output {output.uri} --finish"
        )


def models_to_remove(output: Output, after: Output) -> tuple[PCARecord | None, bool]:
    """Return which models of ``output`` were fitted on rows that ``after`` lacks.

    That is the record of the PCA model or None, and whether the classifier was.
    """
    by_run = rows_by_run(table_files(after, FEATURES))
    record = pca_record(output)
    is_outdated = record is not None and is_fitted_on_deleted(record, by_run)
    of_classifier = fitted_on(output)
    return record if is_outdated else None, any(
        by_run[run_id] < n_rows for run_id, n_rows in of_classifier.items()
    )


def _selected(output: Output, erasure: PendingErasure) -> Selection:
    return select(output, ErasureRequest(paths=frozenset(erasure.paths)), with_copies=False)


def _replace_models(spark: GetSpark, output: Output, change: Change) -> None:
    """Remove a PCA model and a classifier that were fitted on removed rows; refit the PCA."""
    record, has_classifier = models_to_remove(output, output.after(change))
    if has_classifier or record is not None:
        change.remove_folder(CLASSIFIER)
    if record is None:
        return
    for folder in (PCA_MODEL, REDUCED):
        change.remove_folder(folder)
    after = output.after(change)
    if not (files := table_files(after, FEATURES)):
        return
    features = FeatureFiles.of(files)
    n_components = parse_n_components(record.n_components_asked)
    try:
        fitted = fit_pca(spark, after, change, features, record.network_sha256, n_components)
        log_reduction(fitted)
    except FruitsError as error:
        echo(f"the PCA model is removed and none is fitted: {error}")
