"""Collecting what the report shows from the tables of an output."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from itertools import chain

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from spark_assets.files import names_in
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadAhead, reader_of_extras
from spark_assets.images.thumbnails import thumbnail_of
from spark_assets.locations import Location
from spark_assets.output.evaluation import read_evaluation
from spark_assets.output.history import current_reduced, current_rejected, n_current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.output.pca_models import PCARecord, load_pca_model, projected_runs, projections
from spark_assets.output.receipts import newest_receipt
from spark_assets.output.small_current import small_reduced, small_rejected
from spark_assets.pca.sample import path_hash
from spark_assets.report.data import (
    MAX_REJECTED_ROWS,
    PCASummary,
    PlottedImages,
    RejectedImage,
    ReportData,
)
from spark_assets.report.findings import collect_findings
from spark_assets.schemas import REDUCED, REJECTED, spark_schema
from spark_assets.session import n_task_slots
from spark_assets.session_on_demand import GetSession, context_of

_N_PLOTTED_COMPONENTS = 3
# Each holds one decoded image: two of the largest that are allowed are 600 MB.
_N_THREADS = 2
# What the plot shows of an image.
_POINTS = pa.schema(
    [
        pa.field("path", pa.string()),
        pa.field("label", pa.string()),
        pa.field("point", pa.list_(pa.float32())),
        pa.field("thumbnail", pa.string()),
    ]
)


def collect_report_data(
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord | None,
    *,
    max_points: int,
) -> ReportData:
    """Return the values of the page: the newest of ``runs``, and all that is current."""
    latest = runs[-1]
    n_rejected, rejected = _rejected(session, layout, runs)
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
        else _plotted(session, layout, runs, record, limits, max_points),
        rejected=rejected,
        receipt=newest_receipt(layout),
        is_in_s3=layout.output.s3 is not None,
        evaluation=None if record is None else read_evaluation(layout, record.model_id),
        findings=collect_findings(layout, runs, limits),
    )


def _rejected(
    session: GetSession, layout: OutputLayout, runs: Sequence[RunManifest]
) -> tuple[int, list[RejectedImage]]:
    """Return how many images are rejected, and the first of them by reason and path."""
    small = small_rejected(layout, runs)
    if small is not None:
        rejected = pa.concat_tables([REJECTED.empty_table(), *small.values()])
        first = rejected.sort_by([("reason", "ascending"), ("path", "ascending")])
        return rejected.num_rows, _named(first.slice(0, MAX_REJECTED_ROWS))
    rows = current_rejected(session(), layout, runs)
    first_rows = rows.orderBy("reason", "path").limit(MAX_REJECTED_ROWS)
    return rows.count(), _named(first_rows.toArrow())


def _named(rejected: pa.Table) -> list[RejectedImage]:
    columns = rejected.select(["path", "reason", "detail"]).to_pylist()
    return [RejectedImage(row["path"], row["reason"], row["detail"]) for row in columns]


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
    session: GetSession,
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord,
    limits: ImageLimits,
    max_points: int,
) -> PlottedImages:
    images = runs[-1].images
    projected = projected_runs(layout, record)
    thumbnails = partial(_with_thumbnails, images, limits)
    small = small_reduced(layout, runs, _reduced_folders(layout, runs, record, projected))
    if small is not None:
        reduced = pa.concat_tables([REDUCED.empty_table(), *small.values()])
        n_reduced = reduced.num_rows
        batches = _in_threads(thumbnails, _evenly_here(reduced, max_points))
    else:
        rows = current_reduced(session(), layout, record.model_id, projected, runs)
        n_reduced = rows.count()
        sample = _evenly_by_label(rows, max_points).select(*REDUCED.names)
        shared = sample.repartition(n_task_slots(context_of(session)))
        batches = shared.mapInArrow(thumbnails, spark_schema(_POINTS)).toArrow().to_batches()
    points = pa.Table.from_batches(batches, _POINTS).to_pylist()
    points.sort(key=lambda row: (row["label"] or "", row["path"]))
    return PlottedImages(
        paths=[row["path"] for row in points],
        labels=[row["label"] for row in points],
        points=np.array([row["point"] for row in points], dtype=np.float32),
        thumbnails=[row["thumbnail"] for row in points],
        n_reduced=n_reduced,
    )


def _reduced_folders(
    layout: OutputLayout,
    runs: Sequence[RunManifest],
    record: PCARecord,
    projected: Sequence[str],
) -> dict[str, Location]:
    """Return where the reduced rows of ``runs`` are: a run of which none counted has no folder."""
    there = names_in(layout.reduced(record.model_id))
    run_ids = [run.run_id for run in runs if run.run_id in projected]
    folders = {run_id: layout.reduced_by(record.model_id, run_id) for run_id in run_ids}
    return {r: folder for r, folder in folders.items() if folder.base.rpartition("/")[2] in there}


def _with_thumbnails(
    images: Location, limits: ImageLimits, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Yield `_POINTS` of batches of the reduced table, in a task or in the driver."""
    reader, ahead = reader_of_extras(images, limits=limits), ReadAhead(n_readers=4)
    for batch in batches:
        entries = [ImageEntry(path, None, None) for path in batch.column("path").to_pylist()]
        thumbnails = [thumbnail_of(image, limits) for image in ahead.read(entries, reader)]
        vectors = batch.column("pca_features").to_pylist()
        points = [vector[:_N_PLOTTED_COMPONENTS] for vector in vectors]
        columns = [batch.column("path"), batch.column("label"), points, thumbnails]
        yield pa.RecordBatch.from_arrays(
            [pa.array(c, f.type) for c, f in zip(columns, _POINTS, strict=True)], schema=_POINTS
        )


def _in_threads(
    work: Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]], table: pa.Table
) -> list[pa.RecordBatch]:
    """Do here what tasks do of a partition each; Pillow works without Python's lock."""
    step = max(1, -(-table.num_rows // _N_THREADS))
    shares = [table.slice(start, step) for start in range(0, table.num_rows, step)]
    with ThreadPoolExecutor(_N_THREADS) as pool:
        done = pool.map(lambda share: list(work(share.to_batches())), shares)
        return list(chain.from_iterable(done))


def _evenly_by_label(reduced: DataFrame, max_points: int) -> DataFrame:
    """Draw rows evenly over the labels, the same ones every time."""
    n_labels = reduced.select("label").distinct().count()
    in_label = Window.partitionBy("label").orderBy(F.sha2("path", 256))
    ranked = reduced.withColumn("rank", F.row_number().over(in_label))
    per_label = math.ceil(max_points / n_labels)
    return ranked.where(F.col("rank") <= per_label).orderBy("rank", "label").limit(max_points)


def _evenly_here(reduced: pa.Table, max_points: int) -> pa.Table:
    """Draw the rows that `_evenly_by_label` draws, without Spark."""
    if reduced.num_rows <= max_points:
        return reduced
    paths, labels = reduced.column("path").to_pylist(), reduced.column("label").to_pylist()
    by_hash = sorted(range(len(paths)), key=lambda row: path_hash(paths[row]))
    n_drawn: Counter[str | None] = Counter()
    ranked = []
    for row in by_hash:
        n_drawn[labels[row]] += 1
        # Spark orders null before every label.
        ranked.append((n_drawn[labels[row]], labels[row] is not None, labels[row] or "", row))
    return reduced.take([row for *_, row in sorted(ranked)[:max_points]])
