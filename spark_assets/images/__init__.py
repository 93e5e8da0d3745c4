"""Photographs: listed, read and decoded to RGB pixels."""

from importlib import import_module
from typing import TYPE_CHECKING

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
_MODULES = ("rejection", "labels", "listing", "decoding")


def __getattr__(name: str) -> object:
    """Import a public name at its first use: Pillow and boto3 take a third of a second."""
    if name in __all__:
        for module in map(import_module, (f"{__name__}.{each}" for each in _MODULES)):
            if hasattr(module, name):
                return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
