"""What each stage is asked for."""

from dataclasses import asdict, dataclass

from spark_assets.features.engines import EngineName
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits
from spark_assets.locations import Location


@dataclass(frozen=True, slots=True)
class FeaturizeOptions:
    """What a featurize run is asked for.  ``limit`` None means every image."""

    images: Location
    output: Location
    image_list: str | None
    model: FeatureModelRequest
    engine: EngineName
    limits: ImageLimits
    limit: int | None
    max_rejected: float
    overwrite: bool
    verbose: bool

    def to_json(self) -> dict[str, object]:
        """Return the options as the manifest carries them: no folder names but those of URIs."""
        weights = self.model.weights.replace("\\", "/").rpartition("/")[2]
        return {
            "image_list": self.image_list is not None,
            "weights": weights if self.model.model_uri is None else None,
            "model_given": self.model.model_uri is not None,
            "alpha": self.model.alpha,
            "engine": str(self.engine),
            "limits": asdict(self.limits),
            "limit": self.limit,
            "max_rejected": self.max_rejected,
            "overwrite": self.overwrite,
        }


@dataclass(frozen=True, slots=True)
class ReduceOptions:
    """What the reduce stage is asked for.  ``pca_model`` None means to fit one."""

    output: Location
    n_components: int | float
    pca_model: Location | None
    verbose: bool


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """What the report is asked for."""

    output: Location
    max_points: int
    verbose: bool
