"""What the report shows, as values: no Spark, no plotting."""

from dataclasses import dataclass

import numpy as np
from numpy import float32, float64
from numpy.typing import NDArray

from spark_assets.output.cost_receipt import Receipt
from spark_assets.output.evaluation_record import Evaluation
from spark_assets.output.findings_table import AuditRecord, Finding, FindingKind
from spark_assets.output.manifest import RunManifest
from spark_assets.pca.drift import FitQuality
from spark_assets.text.languages import Language
from spark_assets.text.printable import printable

# More than anyone reads; the tables hold them all.
MAX_REJECTED_ROWS = 500


def shown_label(label: str | None, language: Language) -> str:
    """Return a label as it is printed."""
    return language.gettext("(no label)") if label is None else printable(label)


@dataclass(frozen=True, slots=True)
class RejectedImage:
    """One row of the list of rejected images."""

    path: str
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class PCASummary:
    """The PCA behind the reduced table.

    ``explained_variance_ratio`` holds every component that the spectrum has, (n_spectrum,) float64,
    of which the first ``n_components`` are kept; zeros or NaN where the images do not differ at
    all.  ``fitted_here`` is False where a model fitted earlier was used to project.
    ``fit`` is how well it fits what was projected last.
    """

    model_id: str
    n_components: int
    n_components_asked: str
    n_samples: int
    explained_variance_ratio: NDArray[float64]
    fitted_here: bool
    seconds_by_stage: dict[str, float]
    fit: FitQuality | None = None

    @property
    def has_variance(self) -> bool:
        """Whether there is any variance to explain."""
        return bool(np.nansum(self.explained_variance_ratio) > 0)

    @property
    def cumulative_ratio(self) -> NDArray[float64]:
        """Share of the variance that the first 1, 2, ... components hold, (n_spectrum,)."""
        return np.minimum(np.cumsum(self.explained_variance_ratio), 1.0)

    @property
    def share_kept(self) -> float:
        """Share of the variance that the kept components hold; NaN where there is none."""
        return float(self.cumulative_ratio[self.n_components - 1]) if self.has_variance else np.nan

    def n_components_for(self, share: float) -> int | None:
        """Return how many components hold ``share`` of the variance, None where none do."""
        reached = np.flatnonzero(self.cumulative_ratio >= share)
        return int(reached[0]) + 1 if len(reached) else None


@dataclass(frozen=True, slots=True, eq=False)
class PlottedImages:
    """A sample of the reduced table, evenly over the labels.

    ``points`` is (n_points, 1 to 3) float32: the first principal components that were kept.
    ``thumbnails[i]`` is a small JPEG as a ``data:`` URI, or None where the image cannot be read any
    more.  ``n_reduced`` counts the rows of the whole table.
    """

    paths: list[str]
    labels: list[str | None]
    points: NDArray[float32]
    thumbnails: list[str | None]
    n_reduced: int

    def __post_init__(self) -> None:
        n_points = len(self.paths)
        if not n_points == len(self.labels) == len(self.points) == len(self.thumbnails):
            raise ValueError(
                f"{n_points} paths, {len(self.labels)} labels, {len(self.points)} points and "
                f"{len(self.thumbnails)} thumbnails; each plotted image needs one of each"
            )


@dataclass(frozen=True, slots=True)
class ShownFinding:
    """A finding with a thumbnail of its image and of the related one; None where there is none."""

    finding: Finding
    thumbnail: str | None
    related_thumbnail: str | None


@dataclass(frozen=True, slots=True)
class ShownFindings:
    """What the newest audit has found of images that are as they were.

    ``n_by_kind`` counts them, of every kind; ``shown`` has the worst of each.
    """

    record: AuditRecord
    n_by_kind: dict[FindingKind, int]
    shown: dict[FindingKind, list[ShownFinding]]


@dataclass(frozen=True, slots=True)
class ReportData:
    """All that one page shows.

    ``latest_run`` is the newest run.  ``pca`` and ``plotted`` are None where no image could be
    used.  ``rejected`` holds the current rejected images of all runs, or the first
    ``MAX_REJECTED_ROWS`` of them; ``n_current_rejected`` counts them all.  ``made_at`` is ISO 8601.
    ``receipt`` is the newest there is; where there is none, the page says how to get one if the
    output ``is_in_s3``, as that of a cluster is.  ``evaluation`` is that of the features behind
    ``pca``, None where there is none, and ``findings`` those of an audit, None where there is none.
    """

    title: str
    made_at: str
    latest_run: RunManifest
    n_runs: int
    n_current_features: int
    n_current_rejected: int
    pca: PCASummary | None
    plotted: PlottedImages | None
    rejected: list[RejectedImage]
    receipt: Receipt | None
    is_in_s3: bool
    evaluation: Evaluation | None = None
    findings: ShownFindings | None = None
