"""Sample images for seeded weights, read and decoded by the driver."""

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from spark_assets.features.feature_model import IMAGE_SIZE_PX
from spark_assets.images.decoding import ImageLimits, ImageRejected, decode_image
from spark_assets.images.listing import WHOLE_LISTING, ImageEntry, list_images
from spark_assets.images.reading import ImageReader, ReadAhead
from spark_assets.locations import Location

N_CALIBRATION_IMAGES = 48


def calibration_pixels(
    listed: DataFrame, images: Location, limits: ImageLimits
) -> NDArray[np.uint8]:
    """Return (n, 224, 224, 3) uint8 RGB of listed images, the same ones every time.

    Where none of them can be decoded, seeded noise stands in: such a run has no features.
    """
    candidates = listed.orderBy(F.sha2("path", 256)).limit(2 * N_CALIBRATION_IMAGES).collect()
    entries = [ImageEntry(row.path, row.size_bytes, row.modified_at) for row in candidates]
    return _pixels(entries, images, limits)


def pixels_in(images: Location) -> NDArray[np.uint8]:
    """Return (n, 224, 224, 3) uint8 RGB of the images in a small folder, without Spark."""
    listed = sorted(list_images(images, WHOLE_LISTING), key=_scattered)
    return _pixels(listed, images, ImageLimits())


def _scattered(entry: ImageEntry) -> str:
    return hashlib.sha256(entry.path.encode()).hexdigest()


def _pixels(
    entries: Sequence[ImageEntry], images: Location, limits: ImageLimits
) -> NDArray[np.uint8]:
    decoded: list[NDArray[np.uint8]] = []
    for image in ReadAhead(n_readers=4).read(entries, ImageReader(images, limits=limits)):
        if len(decoded) == N_CALIBRATION_IMAGES:
            break
        if isinstance(image.content, ImageRejected):
            continue
        try:
            decoded.append(decode_image(image.content, size_px=IMAGE_SIZE_PX, limits=limits).pixels)
        except ImageRejected:
            continue  # the run itself rejects it and says why
    if decoded:
        return np.stack(decoded)
    shape = (8, IMAGE_SIZE_PX, IMAGE_SIZE_PX, 3)
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
