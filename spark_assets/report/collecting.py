"""Collecting what the report shows from the tables of an output."""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Row, SparkSession, Window
from pyspark.sql import functions as F

from spark_assets.images.decoding import ImageLimits, ImageRejected
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.images.thumbnails import thumbnail_data_uri
from spark_assets.locations import parse_location
from spark_assets.output.history import current_reduced, current_rejected, n_current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_pca_model, projected_runs, projections
from spark_assets.output.receipts import newest_receipt
from spark_assets.report.data import (
    MAX_REJECTED_ROWS,
    PCASummary,
    PlottedImages,
    RejectedImage,
    ReportData,
)
from spark_assets.session import n_task_slots

_N_PLOTTED_COMPONENTS = 3


def collect_report_data(
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord | None,
    *,
    max_points: int,
) -> ReportData:
    """Return the values of the page: the newest of ``runs``, and all that is current."""
    latest = runs[-1]
    n_rejected, rows = _rejected(spark, layout, runs)
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
        else _plotted(spark, layout, runs, record, limits, max_points),
        rejected=[RejectedImage(row.path, row.reason, row.detail) for row in rows],
        receipt=newest_receipt(layout),
        is_in_s3=layout.output.s3 is not None,
    )


def _rejected(
    spark: SparkSession, layout: OutputLayout, runs: Sequence[RunManifest]
) -> tuple[int, list[Row]]:
    """Return how many images are rejected, and the first of them by reason and path."""
    if not any(run.counts.n_rejected for run in runs):
        return 0, []
    rejected = current_rejected(spark, layout, runs)
    return (
        rejected.count(),
        rejected.orderBy("reason", "path").limit(MAX_REJECTED_ROWS).collect(),
    )


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
    spark: SparkSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord,
    limits: ImageLimits,
    max_points: int,
) -> PlottedImages:
    images = parse_location(runs[-1].images_uri)
    projected = projected_runs(layout, record)
    reduced = current_reduced(spark, layout, record.model_id, projected, runs)
    n_reduced = n_current_features(runs)
    is_sampled = n_reduced > max_points
    chosen = _evenly_by_label(reduced, max_points) if is_sampled else reduced
    sample = chosen.select(
        "path", "label", F.slice("pca_features", 1, _N_PLOTTED_COMPONENTS).alias("point")
    )

    def work(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        reader, ahead = ImageReader(images, limits=limits), ReadAhead(n_readers=4)
        for batch in batches:
            entries = [ImageEntry(path, None, None) for path in batch.column("path").to_pylist()]
            thumbnails = [
                _thumbnail(image.content, limits) for image in ahead.read(entries, reader)
            ]
            yield pa.RecordBatch.from_arrays(
                [*batch.columns, pa.array(thumbnails, pa.string())],
                names=[*batch.schema.names, "thumbnail"],
            )

    shared = sample.repartition(n_task_slots(spark))
    with_thumbnails = shared.mapInArrow(
        work, "path string, label string, point array<float>, thumbnail string"
    )
    rows = sorted(with_thumbnails.collect(), key=lambda row: (row.label or "", row.path))
    return PlottedImages(
        paths=[row.path for row in rows],
        labels=[row.label for row in rows],
        points=np.array([row.point for row in rows], dtype=np.float32),
        thumbnails=[row.thumbnail for row in rows],
        n_reduced=reduced.count() if is_sampled else len(rows),
    )


def _evenly_by_label(reduced: DataFrame, max_points: int) -> DataFrame:
    """Draw rows evenly over the labels, the same ones every time."""
    n_labels = reduced.select("label").distinct().count()
    in_label = Window.partitionBy("label").orderBy(F.sha2("path", 256))
    ranked = reduced.withColumn("rank", F.row_number().over(in_label))
    per_label = math.ceil(max_points / n_labels)
    return ranked.where(F.col("rank") <= per_label).orderBy("rank", "label").limit(max_points)


def _thumbnail(content: bytes | ImageRejected, limits: ImageLimits) -> str | None:
    """Return a thumbnail, or None for an image that is gone or has changed since."""
    if isinstance(content, ImageRejected):
        return None
    try:
        return thumbnail_data_uri(content, limits)
    except ImageRejected:
        return None
