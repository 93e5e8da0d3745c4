"""Small runs for the tests: a folder of pictures, the options for it, and what came of it."""

import dataclasses
import os
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from spark_assets.chain.featurize import FeaturizedRun
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.chain.run import featurize
from spark_assets.features.engines import EngineName
from spark_assets.features.feature_model import FeatureModel, save_feature_model
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.decoding import ImageLimits
from spark_assets.images.naming import LabelRule
from spark_assets.output.commit import commit_run
from spark_assets.output.history import current_features
from spark_assets.output.layout import OutputLayout
from spark_assets.output.manifest import RunManifest
from spark_assets.storage.locations import parse_location
from tests.spark.images import encode, picture


def put(folder: Path, path: str, content: bytes | None = None, *, seed: int = 0) -> Path:
    """Put one image (or the given bytes) under a folder."""
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(encode(picture(60, 40, seed), "PNG") if content is None else content)
    return file


def touch(file: Path, *, later_s: int) -> None:
    """Move the modification time of a file."""
    status = file.stat()
    os.utime(file, (status.st_atime, status.st_mtime + later_s))


def options_for(folder: Path, model_folder: Path, **changes: Any) -> FeaturizeOptions:
    options = FeaturizeOptions(
        images=parse_location(str(folder / "images")),
        output=parse_location(str(folder / "out")),
        image_list=None,
        model=FeatureModelRequest(model_uri=str(model_folder)),
        engine=EngineName.LITERT,
        limits=ImageLimits(),
        labels=LabelRule(),
        limit=None,
        max_rejected=0.1,
        overwrite=False,
        keep_missing=False,
        confirm_missing=False,
        verbose=False,
    )
    return dataclasses.replace(options, **changes)


def save(model: FeatureModel, folder: Path) -> Path:
    save_feature_model(model, parse_location(str(folder)))
    return folder


def run(spark: SparkSession, options: FeaturizeOptions) -> RunManifest:
    """Featurize, make the run visible, and return its manifest."""
    result = featurize(lambda: spark.sparkContext, options)
    assert isinstance(result, FeaturizedRun)
    commit_run(OutputLayout(options.output), result.manifest, result.model)
    return result.manifest


def current_paths(spark: SparkSession, options: FeaturizeOptions) -> list[str]:
    rows = current_features(spark, OutputLayout(options.output)).select("path").collect()
    return sorted(row.path for row in rows)


def files_under(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
