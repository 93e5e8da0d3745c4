"""What each stage is asked for."""

from dataclasses import asdict, dataclass

from spark_assets.features.engines import EngineName
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.naming import LabelRule
from spark_assets.pca.drift import DEFAULT_ALARM_RATE
from spark_assets.storage.locations import Location

DEFAULT_N_COMPONENTS = "0.95"


@dataclass(frozen=True, slots=True)
class FeaturizeOptions:
    """What a featurize run is asked for.  ``limit`` None means every image.

    ``keep_missing``: an image that the source no longer holds stays current.  ``confirm_missing``:
    more than half of the images may be gone.
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
        """Whether an image that is not listed may be in the source, or is to stay current."""
        return self.image_list is not None or self.limit is not None or self.keep_missing

    def to_json(self) -> dict[str, object]:
        """Return the options as the manifest carries them: no folder names but those of URIs."""
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
    """What the reduce stage is asked for.

    ``n_components`` None means those of the newest model, or `DEFAULT_N_COMPONENTS` where there is
    none; ``pca_model`` None the newest one of the output.  ``refit``: fit a model anew.
    ``drift_alarm_rate``: how often new images that are like the fitted ones may raise an alarm.
    """

    output: Location
    n_components: int | float | None
    pca_model: Location | None
    refit: bool
    verbose: bool
    drift_alarm_rate: float = DEFAULT_ALARM_RATE


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report is asked for."""

    output: Location
    max_points: int
    language: str
    verbose: bool
