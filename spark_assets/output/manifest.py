"""The manifest of a run: what went in, what came out, and what it took.

``runs/`` holds one for each, which is never rewritten and names no photograph.
"""

from dataclasses import asdict, dataclass
from typing import Any

from spark_assets.errors import FruitsError
from spark_assets.features.feature_model import FeatureModelFacts
from spark_assets.output.output import RUNS, Output
from spark_assets.storage.locations import Location, parse_location


@dataclass(frozen=True, slots=True)
class Counts:
    """Images of one run.

    ``n_images`` were looked at in this run; ``n_known`` were left out because earlier runs hold
    them unchanged.  Of those looked at, ``n_changed`` had been looked at before.  ``n_gone`` are no
    longer in the source.
    """

    n_images: int
    n_known: int
    n_features: int
    n_rejected: int
    rejected_by_reason: dict[str, int]
    n_changed: int = 0
    n_gone: int = 0

    def __post_init__(self) -> None:
        has_every_reason = sum(self.rejected_by_reason.values()) == self.n_rejected
        if self.n_images != self.n_features + self.n_rejected or not has_every_reason:
            raise FruitsError(
                f"the run looked at {self.n_images} images and wrote {self.n_features} rows of "
                f"features and {self.n_rejected} rejected ones; they do not add up, so nothing of "
                "this run is kept: run it again"
            )

    @property
    def rejected_share(self) -> float:
        return self.n_rejected / self.n_images if self.n_images else 0.0


@dataclass(frozen=True, slots=True)
class RunManifest:
    """One featurize run.

    ``seconds_by_stage`` is wall time; ``images_per_second`` counts the featurizing stage from its
    start, ``images_per_second_steady`` leaves out the first and the last tenth of the images (null
    where a run is too short to tell).  ``n_task_slots`` is how many images can be featurized at a
    time.
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
        """Where the photographs are, to be read as the run read them."""
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
        """Return what ``to_json`` was called on."""
        fields = {name: value[name] for name in cls.__dataclass_fields__}
        fields["feature_model"] = FeatureModelFacts.from_json(value["feature_model"])
        names = Counts.__dataclass_fields__
        fields["counts"] = Counts(**{name: value["counts"][name] for name in names})
        return cls(**fields)


def run_ids(output: Output) -> list[str]:
    """Return the ids of an output's runs, oldest first: those since it was begun afresh."""
    names = output.files(RUNS)
    return [name.removesuffix(".json") for name in names if name.endswith(".json")]


def read_run(output: Output, run_id: str) -> RunManifest | None:
    """Return the manifest of a run, None where there is no such run."""
    value = output.read_json(manifest_path(run_id))
    return None if value is None else RunManifest.from_json(value)


def latest_run(output: Output) -> RunManifest | None:
    """Return the newest run of an output, None where there is none."""
    ids = run_ids(output)
    return read_run(output, ids[-1]) if ids else None


def manifest_path(run_id: str) -> str:
    """Return the path of a manifest below its output."""
    return f"{RUNS}/{run_id}.json"
