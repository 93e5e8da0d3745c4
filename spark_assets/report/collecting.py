"""Collecting what the report shows from the tables of an output.

Rows are chosen from the narrow state of the output; only what is shown of these is read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy import float32

from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadAhead, reader_of_extras
from spark_assets.images.thumbnails import thumbnail_of
from spark_assets.output.evaluation import read_evaluation
from spark_assets.output.history import n_current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_pca_model, projected_runs, projections
from spark_assets.output.receipts import newest_receipt
from spark_assets.output.state import current_state
from spark_assets.output.table_files import RowChoice, files_of, rows_of
from spark_assets.pca.sample import path_hashes
from spark_assets.report.data import (
    MAX_REJECTED_ROWS,
    PCASummary,
    PlottedImages,
    RejectedImage,
    ReportData,
)
from spark_assets.report.findings import collect_findings
from spark_assets.runtime.parallel import map_here, map_shares
from spark_assets.runtime.spark_on_demand import GetSpark
from spark_assets.storage.locations import Location
from spark_assets.storage.schemas import REDUCED, REJECTED, Outcome

_N_PLOTTED_COMPONENTS = 3
# By what rows are chosen.
_STATE = ("path", "label", "outcome", "reason", "run_id")


def collect_report_data(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord | None,
    *,
    max_points: int,
) -> ReportData:
    """Return the values of the page: the newest of ``runs``, and all that is current."""
    latest = runs[-1]
    state = current_state(layout, runs, _STATE)
    n_rejected, rejected = _rejected(layout, runs, state)
    limits = ImageLimits(**latest.options["limits"])
    return ReportData(
        title="Fruits!",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        latest_run=latest,
        n_runs=len(runs),
        n_current_features=n_current_features(runs),
        n_current_rejected=n_rejected,
        pca=None if record is None else _pca_summary(layout, record),
        plotted=None
        if record is None
        else _plotted(spark, layout, runs, record, state, max_points),
        rejected=rejected,
        receipt=newest_receipt(layout),
        is_in_s3=layout.output.s3 is not None,
        evaluation=None if record is None else read_evaluation(layout, record.model_id),
        findings=collect_findings(layout, runs, limits),
    )


def _rejected(
    layout: OutputLayout, runs: Sequence[RunManifest], state: pa.Table
) -> tuple[int, list[RejectedImage]]:
    """Return how many images are rejected, and the first of them by reason and path."""
    rejected = state.filter(pc.equal(state["outcome"], str(Outcome.REJECTED)))
    order = [("reason", "ascending"), ("path", "ascending")]
    first = rejected.sort_by(order).slice(0, MAX_REJECTED_ROWS)
    files = files_of({run.run_id: layout.rejected(run.run_id) for run in runs})
    tables = map_here(partial(rows_of, RowChoice.only(first), REJECTED), files)
    shown = pa.concat_tables(tables).sort_by(order)
    columns = shown.select(["path", "reason", "detail"]).to_pylist()
    return rejected.num_rows, [RejectedImage(**row) for row in columns]


def _pca_summary(layout: OutputLayout, record: PCARecord) -> PCASummary:
    model, _ = load_pca_model(layout.pca_model(record.model_id))
    return PCASummary(
        model_id=record.model_id,
        n_components=record.n_components,
        n_components_asked=record.n_components_asked,
        n_samples=record.n_samples,
        explained_variance_ratio=model.spectrum_ratio,
        fitted_here=record.fitted_here,
        seconds_by_stage=record.seconds_by_stage,
        fit_sentence=_fit_sentence(layout, record),
    )


def _fit_sentence(layout: OutputLayout, record: PCARecord) -> str | None:
    """Return how well the model fits what was projected with it last, if that is known."""
    later = projections(layout, record.model_id)
    return later[-1].fit["sentence"] if later and later[-1].fit is not None else None


def _plotted(
    spark: GetSpark,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord,
    state: pa.Table,
    max_points: int,
) -> PlottedImages:
    latest = runs[-1]
    projected = projected_runs(layout, record)
    has_row = pc.and_(
        pc.equal(state["outcome"], str(Outcome.FEATURES)),
        pc.is_in(state["run_id"], value_set=pa.array(projected, pa.string())),
    )
    reduced = state.filter(has_row)
    drawn = _evenly_by_label(reduced, max_points)
    files = files_of({run_id: layout.reduced_by(record.model_id, run_id) for run_id in projected})
    read = partial(rows_of, RowChoice.only(drawn), REDUCED)
    tables = map_shares(spark, read, files, n_rows=reduced.num_rows)
    points = [row for table in tables for row in table.to_pylist()]
    points.sort(key=lambda row: (row["label"] or "", row["path"]))
    images, limits = latest.images, ImageLimits(**latest.options["limits"])
    paths = [row["path"] for row in points]
    made = map_shares(spark, partial(_thumbnails, images, limits), paths, n_rows=reduced.num_rows)
    thumbnails = {path: uri for share in made for path, uri in share.items()}
    return PlottedImages(
        paths=paths,
        labels=[row["label"] for row in points],
        points=np.array([row["pca_features"][:_N_PLOTTED_COMPONENTS] for row in points], float32),
        thumbnails=[thumbnails[path] for path in paths],
        n_reduced=reduced.num_rows,
    )


def _thumbnails(
    images: Location, limits: ImageLimits, paths: Sequence[str]
) -> dict[str, str | None]:
    """Return the thumbnail of each image, None of one that cannot be read any more."""
    reader, ahead = reader_of_extras(images, limits=limits), ReadAhead(n_readers=4)
    read = ahead.read([ImageEntry(path, None, None) for path in paths], reader)
    made = [thumbnail_of(image, limits) for image in read]
    return dict(zip(paths, made, strict=True))


def _evenly_by_label(rows: pa.Table, max_points: int) -> pa.Table:
    """Draw rows evenly over the labels, the same ones every time."""
    if rows.num_rows <= max_points:
        return rows
    labels = rows["label"]
    # Those without a label are one more, before all others.
    label = np.where(labels.is_null(), 0, pc.rank(labels, tiebreaker="dense"))
    by_label = np.lexsort((path_hashes(rows["path"]), label))
    grouped, position = label[by_label], np.arange(len(label))
    begins = np.concatenate([[True], grouped[1:] != grouped[:-1]])
    rank = position - np.maximum.accumulate(np.where(begins, position, 0))
    return rows.take(by_label[np.lexsort((grouped, rank))[:max_points]])
