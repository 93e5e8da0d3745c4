"""Small runs for the tests: a folder of pictures, the options for it, and what came of it."""

import dataclasses
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import SparkContext
from pyspark.sql import SparkSession

from spark_assets.chain.featurize_images import featurize
from spark_assets.chain.options import FeaturizeOptions
from spark_assets.features.engines import EngineName
from spark_assets.features.feature_model import FeatureModel, save_feature_model
from spark_assets.features.weights import FeatureModelRequest
from spark_assets.images.labels import LabelRule
from spark_assets.images.rejection import ImageLimits
from spark_assets.output.manifest import RunManifest
from spark_assets.runtime.spark_context import SparkOnDemand
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
    """Featurize on Spark, and return the manifest of the run."""
    result = featurize(lambda: spark.sparkContext, options)
    assert isinstance(result, RunManifest)
    return result


def run_here(options: FeaturizeOptions) -> RunManifest:
    """Featurize in this process, as few images are; a test that needs Spark after all fails."""
    result = featurize(SparkOnDemand(_no_spark, is_requested=False), options)
    assert isinstance(result, RunManifest)
    return result


def rows_of(output: Path, table: str) -> pa.Table:
    """Return the rows of a table as any reader of Parquet finds them, ordered by path."""
    return pq.read_table(output / table).sort_by("path")


def paths_of(output: Path, table: str = "features") -> list[str]:
    return rows_of(output, table)["path"].to_pylist()


def _no_spark() -> SparkContext:
    raise AssertionError("Spark was started")


def files_under(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder with its content."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
