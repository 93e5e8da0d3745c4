"""The manifest of a run: inputs, options, counts, versions and times, in ``runs/<run_id>.json``.

A manifest is never rewritten and names no photograph.  Run ids are readable and strictly increase
within an output.  The clock alone cannot order them: two runs may start within one second, or on
machines whose clocks differ, and a clock can be set back.
"""

import platform
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from spark_assets import __version__
from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.output import RUNS, Output
from spark_assets.storage.locations import Location, parse_location

if TYPE_CHECKING:
    from pyspark import SparkContext

_SECOND = "%Y%m%dT%H%M%SZ"
_SECOND_LENGTH = len("20260131T120000Z")
_PACKAGES = ("ai-edge-litert", "numpy", "pi-heif", "pillow", "pyarrow")


@dataclass(frozen=True, slots=True)
class Counts:
    """Numbers of images of one run.

    Attributes
    ----------
    n_images : int
        Images featurized or rejected: ``n_features + n_rejected``.
    n_known : int
        Images that earlier runs hold unchanged.
    rejected_by_reason : dict
        Rejected images by reason.
    n_changed : int
        Those of ``n_images`` that replace an earlier version.
    n_deleted : int
        Images that the source no longer holds.
    """

    n_images: int
    n_known: int
    n_features: int
    n_rejected: int
    rejected_by_reason: dict[str, int]
    n_changed: int = 0
    n_deleted: int = 0

    def __post_init__(self) -> None:
        has_every_reason = sum(self.rejected_by_reason.values()) == self.n_rejected
        if self.n_images != self.n_features + self.n_rejected or not has_every_reason:
            raise FruitsError(
                f"{self.n_images} images gave {self.n_features} rows of features and "
                f"{self.n_rejected} rejected ones; these counts do not add up, so nothing of this "
                "run is kept: run it again"
            )

    @property
    def rejected_share(self) -> float:
        return self.n_rejected / self.n_images if self.n_images else 0.0


@dataclass(frozen=True, slots=True)
class RunManifest:
    """One featurize run.

    Attributes
    ----------
    bytes_read : int
        Bytes of the images.
    seconds_by_stage : dict
        Wall time in seconds.
    images_per_second : float
        Speed of the featurize stage.
    images_per_second_steady : float or None
        The same without the first and last tenth of the images; None for a run too short for it.
    n_task_slots : int
        Images that can be featurized at a time.
    """

    run_id: str
    started_at: str
    images_uri: str
    options: dict[str, Any]
    feature_model: FeatureModelFacts
    counts: Counts
    bytes_read: int
    seconds_by_stage: dict[str, float]
    images_per_second: float
    images_per_second_steady: float | None
    n_task_slots: int
    versions: dict[str, str]

    @property
    def images(self) -> Location:
        """The source of the images, with the access of the run."""
        return parse_location(self.images_uri, anonymous=bool(self.options.get("anonymous")))

    def to_json(self) -> dict[str, Any]:
        counts = self.counts
        equation = (
            f"{counts.n_images} images = {counts.n_features} features "
            f"+ {counts.n_rejected} rejected"
        )
        return {**asdict(self), "counts_add_up": equation}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "RunManifest":
        fields = {name: value[name] for name in cls.__dataclass_fields__}
        fields["feature_model"] = FeatureModelFacts.from_json(value["feature_model"])
        # Until November 2026 ``n_deleted`` was called ``n_gone``.
        counts = {"n_deleted": value["counts"].get("n_gone"), **value["counts"]}
        fields["counts"] = Counts(**{name: counts[name] for name in Counts.__dataclass_fields__})
        return cls(**fields)


def run_ids(output: Output) -> list[str]:
    """Return the ids of an output's runs, oldest first."""
    names = output.files(RUNS)
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def read_run(output: Output, run_id: str) -> RunManifest | None:
    """Return the manifest of a run, or None."""
    value = output.read_json(manifest_path(run_id))
    return None if value is None else RunManifest.from_json(value)


def latest_run(output: Output) -> RunManifest | None:
    """Return the manifest of the newest run of an output, or None."""
    ids = run_ids(output)
    return read_run(output, ids[-1]) if ids else None


def manifest_path(run_id: str) -> str:
    """Return the path of a manifest below its output."""
    return f"{RUNS}/{run_id}.json"


def new_run_id(output: Output) -> str:
    """Return the id of a new run, later than that of every run of an output."""
    return next_id(output.files(RUNS), datetime.now(UTC))


def next_id(held: Iterable[str], now: datetime) -> str:
    """Return an id such as ``20260131T120000Z-1a2b3c`` that sorts after every id of ``held``.

    Its second is that of the clock or the one after the newest id's, whichever is later.  Its end
    is random, so that two runs of the same second do not share files.  Other names are ignored.
    """
    seconds = [second for name in held if (second := _second_of(name)) is not None]
    second = max([now.replace(microsecond=0), *(each + timedelta(seconds=1) for each in seconds)])
    return f"{second:{_SECOND}}-{secrets.token_hex(3)}"


def _second_of(name: str) -> datetime | None:
    try:
        return datetime.strptime(name[:_SECOND_LENGTH], _SECOND).replace(tzinfo=UTC)
    except ValueError:
        return None


def versions_in_use(context: "SparkContext | None" = None) -> dict[str, str]:
    """Return the versions of this project, Python, Spark, Java (with a context) and the packages.

    Spark on EMR has no package metadata, so that its version is that of the module.
    """
    import pyspark  # 0.25 s, which commands that read manifests without Spark are spared

    java = {}
    if context is not None:
        java["java"] = str(context._jvm.System.getProperty("java.version"))  # type: ignore[union-attr]
    return {
        "fruits": __version__,
        "python": platform.python_version(),
        **java,
        "spark": pyspark.__version__,
        **{name: found for name in _PACKAGES if (found := _version(name)) is not None},
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
