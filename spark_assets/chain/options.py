"""The options of each stage, and their defaults."""

from dataclasses import asdict, dataclass

from spark_assets.features.engines import EngineName
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits
from spark_assets.pca.drift import DEFAULT_ALARM_RATE
from spark_assets.storage.locations import Location

DEFAULT_N_COMPONENTS = "0.95"
DEFAULT_MAX_REJECTED = 0.1


@dataclass(frozen=True, slots=True)
class FeaturizeOptions:
    """Options of a featurize run; ``limit`` None means every image.

    ``keep_missing`` keeps the rows of images that were deleted from the source;
    ``confirm_missing`` allows more than half of the images to be deleted.
    """

    images: Location
    output: Location
    image_list: str | None
    model: FeatureModelRequest
    engine: EngineName
    limits: ImageLimits
    labels: LabelRule
    limit: int | None
    max_rejected: float
    overwrite: bool
    keep_missing: bool
    confirm_missing: bool
    verbose: bool

    @property
    def is_partial(self) -> bool:
        """Whether an image that is not listed keeps its rows."""
        return self.image_list is not None or self.limit is not None or self.keep_missing

    def to_json(self) -> dict[str, object]:
        """Return the options for the manifest, without names of local folders."""
        weights = self.model.weights.replace("\\", "/").rpartition("/")[2]
        return {
            "anonymous": self.images.s3 is not None and self.images.s3.anonymous,
            "image_list": self.image_list is not None,
            "weights": weights if self.model.model_uri is None else None,
            "model_given": self.model.model_uri is not None,
            "alpha": self.model.alpha,
            "image_size_px": self.model.image_size_px,
            "engine": str(self.engine),
            "limits": asdict(self.limits),
            "label": asdict(self.labels),
            "limit": self.limit,
            "max_rejected": self.max_rejected,
            "overwrite": self.overwrite,
            "keep_missing": self.keep_missing,
        }


@dataclass(frozen=True, slots=True)
class ReduceOptions:
    """Options of the reduce stage.

    ``n_components`` None: as the model of the output was fitted, or `DEFAULT_N_COMPONENTS` where
    there is none.  ``pca_model`` None: the model of the output.  ``drift_alarm_rate``: false alarms
    per batch of new images that are like the fitted ones.
    """

    output: Location
    n_components: int | float | None
    pca_model: Location | None
    refit: bool
    drift_alarm_rate: float = DEFAULT_ALARM_RATE


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """Options of the report."""

    output: Location
    max_points: int
    language: str
