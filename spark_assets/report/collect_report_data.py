"""Collecting what the report shows from the tables of an output.

Rows are chosen by the narrow columns of the tables; only what is shown of these is read.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy import float32

from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadAhead, reader_of_extras
from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import thumbnail_of
from spark_assets.output.evaluation_record import read_evaluation
from spark_assets.output.manifest import RunManifest, run_ids
from spark_assets.output.output import FEATURES, PCA_MODEL, REDUCED, REJECTED, Output
from spark_assets.output.parquet_tables import (
    count_rows,
    paths_by_file,
    read_narrow,
    read_rows,
    table_files,
)
from spark_assets.output.pca_model import PCARecord, load_fit, load_pca_model, pca_record
from spark_assets.output.receipt_files import newest_receipt
from spark_assets.pca.drift import FitQuality
from spark_assets.pca.drift_sample import path_hashes
from spark_assets.report.collect_findings import collect_findings
from spark_assets.report.report_data import (
    MAX_REJECTED_ROWS,
    PCASummary,
    PlottedImages,
    RejectedImage,
    ReportData,
)
from spark_assets.runtime.distribute import map_shares
from spark_assets.runtime.spark_context import GetSpark
from spark_assets.storage import schemas
from spark_assets.storage.locations import Location

_N_PLOTTED_COMPONENTS = 3
# So many reduced rows are read in the time of one row of features.
_REDUCED_LIKE_ONE = 10


def collect_report_data(
    spark: GetSpark, output: Output, latest: RunManifest, *, max_points: int
) -> ReportData:
    """Return the values of the page: its ``latest`` run, and all that an output holds."""
    record = pca_record(output)
    n_rejected, rejected = _rejected(output)
    limits = ImageLimits(**latest.options["limits"])
    return ReportData(
        title="Fruits!",
        made_at=datetime.now(UTC).isoformat(timespec="seconds"),
        latest_run=latest,
        n_runs=len(run_ids(output)),
        n_current_features=sum(count_rows(table_files(output, FEATURES))),
        n_current_rejected=n_rejected,
        pca=None if record is None else _pca_summary(output, record),
        plotted=None if record is None else _plotted(spark, output, latest, max_points),
        rejected=rejected,
        receipt=newest_receipt(output),
        is_in_s3=output.location.s3 is not None,
        evaluation=read_evaluation(output),
        findings=collect_findings(output, latest, limits),
    )


def _rejected(output: Output) -> tuple[int, list[RejectedImage]]:
    """Return how many images are rejected, and the first of them by reason and path."""
    columns = ("path", "reason", "detail")
    rejected = read_narrow(table_files(output, REJECTED), schemas.REJECTED, columns)
    order = [("reason", "ascending"), ("path", "ascending")]
    first = rejected.sort_by(order).slice(0, MAX_REJECTED_ROWS)
    return rejected.num_rows, [RejectedImage(**row) for row in first.select(columns).to_pylist()]


def _pca_summary(output: Output, record: PCARecord) -> PCASummary:
    model, _ = load_pca_model(output.folder(PCA_MODEL))
    fit = load_fit(output)
    return PCASummary(
        model_id=record.model_id,
        n_components=record.n_components,
        n_components_asked=record.n_components_asked,
        n_samples=record.n_samples,
        explained_variance_ratio=model.spectrum_ratio,
        fitted_here=record.fitted_here,
        seconds_by_stage=record.seconds_by_stage,
        fit=None if fit is None else FitQuality.from_json(fit),
    )


def _plotted(
    spark: GetSpark, output: Output, latest: RunManifest, max_points: int
) -> PlottedImages:
    files = table_files(output, REDUCED)
    reduced = read_narrow(files, schemas.REDUCED, ("path", "label"))
    drawn = paths_by_file(_evenly_by_label(reduced, max_points))
    read = partial(read_rows, drawn, schemas.REDUCED)
    tables = map_shares(spark, read, files, n_rows=reduced.num_rows // _REDUCED_LIKE_ONE)
    points = [row for table in tables for row in table.to_pylist()]
    points.sort(key=lambda row: (row["label"] or "", row["path"]))
    images, limits = latest.images, ImageLimits(**latest.options["limits"])
    paths = [row["path"] for row in points]
    made = map_shares(spark, partial(_thumbnails, images, limits), paths, n_rows=len(paths))
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
