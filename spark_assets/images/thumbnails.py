"""Thumbnails for the report, encoded from pixels: without the metadata of the original."""

import base64
import io

from PIL import Image

from spark_assets.images.decoding import decode_upright
from spark_assets.images.reading import ReadImage
from spark_assets.images.rejection import ImageLimits, ImageRejected

THUMBNAIL_PX = 96
_JPEG_QUALITY = 78


def thumbnail_jpeg(content: bytes, limits: ImageLimits) -> bytes:
    """Return a JPEG of at most 96 x 96 pixels.  Raises ImageRejected."""
    image = decode_upright(content, target_px=THUMBNAIL_PX, limits=limits).image
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX), Image.Resampling.BICUBIC)
    plain = Image.frombytes("RGB", image.size, image.tobytes())
    target = io.BytesIO()
    plain.save(target, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return target.getvalue()


def data_uri(jpeg: bytes) -> str:
    """Return a JPEG as a ``data:`` URI."""
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def jpeg_of(image: ReadImage, limits: ImageLimits) -> bytes | None:
    """Return a thumbnail, or None for an image that cannot be read or decoded."""
    if not isinstance(image.content, bytes):
        return None
    try:
        return thumbnail_jpeg(image.content, limits)
    except ImageRejected:
        return None


def thumbnail_of(image: ReadImage, limits: ImageLimits) -> str | None:
    """Return a thumbnail as a ``data:`` URI, or None."""
    jpeg = jpeg_of(image, limits)
    return None if jpeg is None else data_uri(jpeg)
