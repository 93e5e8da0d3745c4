"""Photographs: listed, read and decoded to RGB pixels."""

from typing import TYPE_CHECKING

from spark_assets.lazy_names import lazy_names

if TYPE_CHECKING:
    from spark_assets.images.decoding import DecodedImage, decode_image, decode_upright
    from spark_assets.images.labels import LabelRule
    from spark_assets.images.listing import list_images
    from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason

__all__ = [
    "DecodedImage",
    "ImageLimits",
    "ImageRejected",
    "LabelRule",
    "Reason",
    "decode_image",
    "decode_upright",
    "list_images",
]
__getattr__ = lazy_names(
    __name__,
    {
        "DecodedImage": "decoding",
        "ImageLimits": "rejection",
        "ImageRejected": "rejection",
        "LabelRule": "labels",
        "Reason": "rejection",
        "decode_image": "decoding",
        "decode_upright": "decoding",
        "list_images": "listing",
    },
)
