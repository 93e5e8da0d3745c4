"""What a task does with images, for the Python of any architecture, without Spark.

``python featurize.py MODULES MODEL IMAGES OUTPUT`` imports every module that ``modules.txt`` names,
featurizes a folder of images with LiteRT, and writes the rows to a Parquet file.
"""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from spark_assets.features.engines import EngineName, EngineSpec, build_engine
from spark_assets.features.extraction import extract
from spark_assets.features.feature_model import load_tflite, model_folder
from spark_assets.images.listing import ImageEntry, entries_in, list_images
from spark_assets.images.reading import ImageReader, ReadImage
from spark_assets.images.rejection import ImageLimits, ImageRejected
from spark_assets.storage.locations import Location, parse_location
from spark_assets.storage.schemas import OUTCOMES

_LIMITS = ImageLimits()


def main(modules: str, model: str, images: str, output: str) -> None:
    for name in Path(modules).read_text().split():
        importlib.import_module(name)
    facts, tflite = load_tflite(model_folder(parse_location(model)))
    batches = extract(
        _read_all(parse_location(images)),
        engine=build_engine(EngineSpec(EngineName.LITERT, facts, tflite=tflite)),
        size_px=facts.image_size_px,
        limits=_LIMITS,
    )
    pq.write_table(pa.Table.from_batches(batches, OUTCOMES), output)


def _read_all(images: Location) -> Iterator[ReadImage]:
    reader = ImageReader(images, limits=_LIMITS)
    for entry in entries_in(list_images(images)):
        yield ReadImage(entry, _read(reader, entry))


def _read(reader: ImageReader, entry: ImageEntry) -> bytes | ImageRejected:
    try:
        return reader(entry)
    except ImageRejected as rejected:
        return rejected


if __name__ == "__main__":
    main(*sys.argv[1:])
