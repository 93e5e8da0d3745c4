"""Report data made by hand: seeded, with thumbnails that are real little JPEG files."""

import base64
import io
from dataclasses import replace
from typing import Any

import numpy as np
from PIL import Image

from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.cost_receipt import Cost, NodeHours, Receipt
from spark_assets.output.manifest import Counts, RunManifest
from spark_assets.report.report_data import (
    PCASummary,
    PlottedImages,
    RejectedImage,
    ReportData,
)

NO_LABEL = "(no label)"
# Each would do something if it were taken for HTML, JavaScript, a template or plotly's own markup.
HOSTILE_NAMES = (
    "</script><script>window.hacked = 1</script>",
    "<img src=x onerror='window.hacked = 2'>",
    '"><svg onload=window.hacked=3>',
    "new\nline\u2028and\u2029separators",
    "100% %20 %{x} %{customdata} %{meta[0]} {{ 7 * 7 }} {% raw %}",
    "<b>bold</b> <a href='javascript:window.hacked=4'>link</a> &lt;i&gt; $x^2$",
    "</title></style><!-- <script>",
    "back\\slash 'single' \"double\" `tick` ${window.hacked=5}",
    "right\u202eto left, no\u00a0break, lone \udcff surrogate",
    "pêche 桃 🍑",
)


def thumbnail(colour: tuple[int, int, int]) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (24, 16), colour).save(buffer, "JPEG")
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode()


def made_plotted(
    labels: list[str | None], *, n_points: int = 200, n_components: int = 3, seed: int = 7
) -> PlottedImages:
    """Return points in one cloud per label, in turn; every tenth image has no thumbnail."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=6, size=(len(labels), n_components))
    of_label = np.arange(n_points) % len(labels)
    points = centres[of_label] + rng.normal(size=(n_points, n_components))
    colours = rng.integers(0, 256, size=(n_points, 3))
    return PlottedImages(
        paths=[f"{labels[i] or ''}/{n}_100.jpg" for n, i in enumerate(of_label)],
        labels=[labels[i] for i in of_label],
        points=points.astype(np.float32),
        thumbnails=[
            None if n % 10 == 9 else thumbnail(tuple(colour.tolist()))
            for n, colour in enumerate(colours)
        ],
        n_reduced=4 * n_points,
    )


def made_pca(*, n_components: int = 12, n_spectrum: int = 40) -> PCASummary:
    ratio = 0.8 ** np.arange(n_spectrum)
    return PCASummary(
        model_id="20251123T120301Z-4f1c",
        n_components=n_components,
        n_components_asked="12",
        n_samples=796,
        explained_variance_ratio=ratio / ratio.sum(),
        fitted_here=True,
        seconds_by_stage={"statistics": 1.8, "eigendecomposition": 0.41, "projection": 2.25},
    )


def made_facts(**changes: Any) -> FeatureModelFacts:
    """Return the facts of a network with trained weights."""
    facts = FeatureModelFacts(
        architecture="MobileNetV2",
        alpha=0.35,
        image_size_px=224,
        n_features=1280,
        weights="file",
        weights_source="mobilenet_v2_0.35_224_no_top.weights.h5",
        weights_file_sha256="67c0e48867690db783f6eeac50b5f22cebf5d578f8ec07319fd300a6aabd9488",
        network_sha256="67c0e48867690db783f6eeac50b5f22cebf5d578f8ec07319fd300a6aabd9488",
        warning=None,
        tflite_sha256="0" * 64,
        weights_sha256="1" * 64,
        versions={"tensorflow": "2.21.0"},
    )
    return replace(facts, **changes)


def made_receipt() -> Receipt:
    """Return the receipt of a cluster that has ended, whose parts sum to 1.03 USD."""
    return Receipt(
        cluster_id="j-2AXXXXXXGAPLF",
        made_at="2025-11-23T14:00:00+00:00",
        started_at="2025-11-23T11:50:00+00:00",
        ended_at="2025-11-23T13:05:00+00:00",
        n_runs=3,
        n_images=2034,
        node_hours=(
            NodeHours("m6g.xlarge", "SPOT", 2, 2.4),
            NodeHours("m7g.xlarge", "ON_DEMAND", 2, 2.5),
        ),
        costs=(Cost("EC2 on demand", 0.49), Cost("EC2 Spot", 0.34), Cost("EMR", 0.2)),
        estimate=(Cost("EC2 on demand", 0.4), Cost("EC2 Spot", 0.5)),
        eur_per_usd=0.86,
        prices_read="2025-04 to 2026-08",
        assumptions=("Spot costs 40 % of on demand", "a USD is 0.86 EUR"),
    )


def made_report(
    *,
    labels: tuple[str | None, ...] = (
        "apple",
        "banana",
        "cherry",
        "fig",
        "kiwi",
        "pear",
        "plum",
        None,
    ),
    n_points: int = 200,
) -> ReportData:
    """Return a whole report: 800 images of 8 labels, 4 of them rejected."""
    rejected = [
        RejectedImage("apple/empty.jpg", "empty", "0 bytes"),
        RejectedImage("fig/notes.jpg", "not_an_image", "not an image of a known format"),
        RejectedImage("pear/1.jpg", "truncated", "image file is truncated"),
        RejectedImage("plum/2.jpg", "truncated", "image file is truncated"),
    ]
    return ReportData(
        title="Fruits!",
        made_at="2025-11-23T12:04:10+00:00",
        latest_run=RunManifest(
            run_id="20251123T120155Z-9ab3",
            started_at="2025-11-23T12:01:55+00:00",
            images_uri="s3://fruits-raw-images/Training",
            counts=Counts(
                n_images=800,
                n_known=1234,
                n_features=796,
                n_rejected=4,
                rejected_by_reason={"empty": 1, "not_an_image": 1, "truncated": 2},
            ),
            feature_model=made_facts(),
            bytes_read=61_234_567,
            images_per_second=147.3,
            images_per_second_steady=151.2,
            n_task_slots=2,
            seconds_by_stage={"list": 0.62, "model": 2.4, "featurize": 5.43, "count": 1.1},
            options={
                "alpha": 0.35,
                "engine": "litert",
                "limit": None,
                "overwrite": False,
                "limits": {"max_bytes": 67108864, "max_pixels": 100000000},
            },
            versions={"python": "3.11.7", "pyspark": "4.1.1", "numpy": "2.4.6"},
        ),
        n_runs=3,
        n_current_features=2030,
        n_current_rejected=4,
        pca=made_pca(),
        plotted=made_plotted(list(labels), n_points=n_points),
        rejected=rejected,
        receipt=made_receipt(),
        is_in_s3=True,
    )


def with_hostile_names(data: ReportData) -> ReportData:
    """Return the report with every free text replaced by names made to break a page."""
    names = list(HOSTILE_NAMES)
    assert data.pca is not None
    return replace(
        data,
        title=names[0],
        latest_run=replace(
            data.latest_run,
            run_id=names[1],
            images_uri=names[5],
            options={name: name for name in names} | {"nested": {"list": names}},
            versions={name: name for name in names},
            seconds_by_stage=dict.fromkeys(names, 1.0),
            feature_model=made_facts(
                architecture=names[2], weights_source=names[0], warning=names[6]
            ),
        ),
        pca=replace(data.pca, model_id=names[1], n_components_asked=names[2]),
        plotted=made_plotted(
            [*names, None], n_points=len(data.plotted.paths if data.plotted else [])
        ),
        rejected=[RejectedImage(f"{name}/{name}", name, name) for name in names],
        receipt=replace(
            made_receipt(),
            cluster_id=names[0],
            started_at=names[1],
            ended_at=names[2],
            prices_read=names[3],
            node_hours=tuple(NodeHours(name, name, 1, 1.0) for name in names),
            costs=tuple(Cost(name, 1.0) for name in names),
            assumptions=tuple(names),
        ),
    )
