"""Features of a folder of photographs and of their mirror images, computed once."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy import float32, uint8
from numpy.typing import NDArray

from recognition.classifier.vectors import Vectors, vectors_of, vectors_of_views
from recognition.evaluation.labeled_photographs import LabeledPhotographs, labeled_rows
from recognition.featurize_folder import FeaturizedFolder, featurize_folder
from spark_assets.features.engines import Engine
from spark_assets.features.feature_model import FeatureModel
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits
from spark_assets.storage.locations import parse_location

# The label is the first folder below the one that is featurized.
_LABELS = LabelRule(regex="^([^/]+)/")
_MAX_IMAGES = 100_000

Features = NDArray[float32]


@dataclass(frozen=True, slots=True, eq=False)
class Featurized:
    """Photographs: features (n, n_features) of each and of its mirror image, and what it shows.

    ``objects`` are the groups that a split must not divide; ``digests`` are sha256 of the files.
    """

    plain: Features
    mirrored: Features
    paths: list[str]
    labels: list[str]
    objects: list[str]
    digests: list[str]

    def __len__(self) -> int:
        return len(self.paths)

    def take(self, rows: Sequence[int] | NDArray[np.intp]) -> "Featurized":
        """Return the photographs of some rows."""
        chosen = [int(row) for row in rows]
        return Featurized(
            self.plain[chosen],
            self.mirrored[chosen],
            *(
                [values[row] for row in chosen]
                for values in (self.paths, self.labels, self.objects, self.digests)
            ),
        )

    def __add__(self, others: "Featurized") -> "Featurized":
        return Featurized(
            np.concatenate([self.plain, others.plain]),
            np.concatenate([self.mirrored, others.mirrored]),
            self.paths + others.paths,
            self.labels + others.labels,
            self.objects + others.objects,
            self.digests + others.digests,
        )

    def of_labels(self, labels: Collection[str]) -> "Featurized":
        """Return the photographs that have one of some labels."""
        return self.take([row for row, label in enumerate(self.labels) if label in labels])

    def distinct(self, others: "Featurized | None" = None) -> "Featurized":
        """Return the photographs without copies, neither of each other nor of others."""
        known = frozenset() if others is None else frozenset(others.digests)
        return self.take(labeled_rows(self.labels, self.digests, known)[0])

    def for_training(self) -> LabeledPhotographs:
        """Return the vectors of the photographs alone, as an output holds them."""
        return LabeledPhotographs(vectors_of(self.plain), self.labels, self.objects)

    def for_test(self) -> LabeledPhotographs:
        """Return the vectors of photographs with their mirror images, as `identify` has them."""
        return LabeledPhotographs(self.views(), self.labels, self.objects)

    def views(self) -> Vectors:
        """Return the vectors of photographs with their mirror images, (n, n_features)."""
        return vectors_of_views(self.plain, self.mirrored)


class _Mirrored:
    """An engine that is given mirror images."""

    def __init__(self, engine: Engine) -> None:
        self.batch_size = engine.batch_size
        self._engine = engine

    def __call__(self, pixels: NDArray[uint8]) -> Features:
        return self._engine(np.ascontiguousarray(pixels[:, :, ::-1]))


def featurize(folder: Path, model: FeatureModel, cache: Path) -> Featurized:
    """Return the photographs below a folder, featurized by a model once for both views.

    The file in ``cache`` is found again by the network and by names and sizes of the photographs.

    Raises FruitsError where the folder holds no photographs.
    """
    listing = [(str(path), path.stat().st_size) for path in sorted(folder.rglob("*.*"))]
    key = hashlib.sha256(f"{model.facts.network_sha256} {listing}".encode()).hexdigest()[:12]
    facts = model.facts
    name = f"{folder.parent.name}-{folder.name}-{facts.alpha}-{facts.image_size_px}-{key}.npz"
    path = cache / name
    if not path.exists():
        read = partial(
            featurize_folder,
            parse_location(str(folder)),
            model,
            labels=_LABELS,
            limits=ImageLimits(),
            max_images=_MAX_IMAGES,
        )
        _save(path, read(), read(wrap_engine=_Mirrored).features)
    with np.load(path) as kept:
        paths, labels = kept["paths"].tolist(), kept["labels"].tolist()
        return Featurized(
            kept["plain"], kept["mirrored"], paths, labels, paths, kept["digests"].tolist()
        )


def _save(path: Path, found: FeaturizedFolder, mirrored: Features) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"unfinished-{path.name}")
    np.savez(
        unfinished,
        plain=found.features,
        mirrored=mirrored,
        paths=np.array(found.paths),
        labels=np.array([label or "" for label in found.labels]),
        digests=np.array(found.content_sha256),
    )
    unfinished.rename(path)
