"""Features and thumbnails of a folder, computed in this process without Spark."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import pyarrow as pa
from numpy import float32
from numpy.typing import NDArray

from spark_assets.errors import FruitsError
from spark_assets.features.engines import Engine, EngineName, build_engine, engine_spec
from spark_assets.features.extraction import extract
from spark_assets.features.feature_model import FeatureModel, load_feature_model
from spark_assets.images.labels import LabelRule
from spark_assets.images.listing import ImageEntry, entries_in, list_images
from spark_assets.images.reading import ImageReader, ReadAhead, reader_of_extras
from spark_assets.images.rejection import ImageLimits
from spark_assets.images.thumbnails import jpeg_of
from spark_assets.output.manifest import RunManifest
from spark_assets.output.output import FEATURE_MODEL, Output
from spark_assets.pca.batches import feature_matrix
from spark_assets.pca.drift_sample import path_hash
from spark_assets.storage.locations import Location
from spark_assets.storage.schemas import OUTCOMES

_N_READERS = 4


@dataclass(frozen=True, slots=True, eq=False)
class FeaturizedFolder:
    """The accepted photographs of a folder; ``features`` is (n, n_features)."""

    paths: list[str]
    labels: list[str | None]
    content_sha256: list[str]
    features: NDArray[float32]
    n_rejected: int


def featurize_folder(
    images: Location,
    network: FeatureModel,
    *,
    labels: LabelRule,
    limits: ImageLimits,
    max_images: int,
    wrap_engine: Callable[[Engine], Engine] = lambda engine: engine,
) -> FeaturizedFolder:
    """Featurize a folder as a run does, in threads; of more than ``max_images``, a sample by hash.

    ``wrap_engine`` wraps the engine of each thread, such as in `ViewsEngine`.

    Raises FruitsError where the folder cannot be listed, or none of its images can be used.
    """
    entries = [*entries_in(list_images(images))]
    if not entries:
        raise FruitsError(f"{images.uri} holds no images; give a folder with photographs")
    entries = sorted(entries, key=lambda entry: path_hash(entry.path))[:max_images]
    n_threads = os.cpu_count() or 1
    featurize = partial(_featurize, images, network, labels, limits, wrap_engine)
    with ThreadPoolExecutor(n_threads) as pool:
        shares = [entries[start::n_threads] for start in range(n_threads)]
        outcomes = pa.concat_tables(pool.map(featurize, shares)).sort_by("path")
    usable = outcomes.filter(outcomes.column("reason").is_null())
    if not usable.num_rows:
        raise FruitsError(
            f"all {len(entries)} images in {images.uri} were rejected; list the reasons with: "
            "fruits featurize --images URI --output URI"
        )
    return FeaturizedFolder(
        usable.column("path").to_pylist(),
        usable.column("label").to_pylist(),
        usable.column("content_sha256").to_pylist(),
        feature_matrix(usable.column("features").combine_chunks()).astype(float32, copy=False),
        outcomes.num_rows - usable.num_rows,
    )


def featurize_test_images(
    output: Output,
    run: RunManifest,
    images: Location,
    *,
    max_images: int,
    wrap_engine: Callable[[Engine], Engine] = lambda engine: engine,
) -> FeaturizedFolder:
    """Featurize a test set with the network of an output, and the label rule of one of its runs.

    Raises FruitsError as `featurize_folder`.
    """
    return featurize_folder(
        images,
        load_feature_model(output.folder(FEATURE_MODEL)),
        labels=LabelRule(**run.options["label"]),
        limits=ImageLimits(**run.options["limits"]),
        max_images=max_images,
        wrap_engine=wrap_engine,
    )


def _featurize(
    images: Location,
    network: FeatureModel,
    labels: LabelRule,
    limits: ImageLimits,
    wrap_engine: Callable[[Engine], Engine],
    entries: Sequence[ImageEntry],
) -> pa.Table:
    engine = wrap_engine(build_engine(engine_spec(network, EngineName.LITERT)))
    read = ReadAhead(n_readers=_N_READERS).read(entries, ImageReader(images, limits=limits))
    size_px = network.facts.image_size_px
    batches = extract(read, engine=engine, size_px=size_px, limits=limits, labels=labels)
    return pa.Table.from_batches(batches, OUTCOMES)


def make_thumbnails(
    images: Location, limits: ImageLimits, paths: Sequence[str]
) -> list[bytes | None]:
    """Return a small JPEG of each photograph, None for a deleted or unreadable one."""
    entries = [ImageEntry(path, None, None) for path in paths]
    read = ReadAhead(n_readers=_N_READERS).read(entries, reader_of_extras(images, limits=limits))
    return [jpeg_of(image, limits) for image in read]
