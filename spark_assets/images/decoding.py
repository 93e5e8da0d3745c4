"""Decoding of a photograph: bytes to RGB pixels, the same for every command.

The picture becomes 8-bit RGB, upright, and is resized to a square with Pillow's bicubic filter,
as ``keras.utils.load_img(..., interpolation="bicubic")`` does.  Colour is converted like this:

- grey, palette, CMYK, YCbCr and Lab as Pillow's ``convert("RGB")`` does, without colour profiles;
- an alpha channel or a transparent colour is laid over white;
- 16-bit and 32-bit integer greys keep their high byte, as Pillow does for 16-bit RGB;
- an animation gives its first frame, a file of several pictures its main one (of a HEIF the primary
  image, of a TIFF the first page in full resolution: `tiff_pages`).

The orientation of EXIF, or of XMP where EXIF has none, is applied, as in
``PIL.ImageOps.exif_transpose``; a damaged one is ignored.  HEIF has its own rotation, beside which
the EXIF tag is ignored.  No other metadata is read.
"""

import io
from dataclasses import dataclass
from functools import cache

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason, check_size
from spark_assets.images.tiff_pages import NoFullPage, seek_picture
from spark_assets.runtime.suppress_output import suppress_warnings

# A closed list: Pillow can also open formats that start other programs (EPS) or that have no
# signature, so that noise passes for an image (TGA).
FORMATS = (
    "AVIF", "BMP", "GIF", "HEIF", "JPEG", "JPEG2000", "PNG", "PPM", "TIFF", "WEBP",
)  # fmt: skip
_SIGNATURE_BYTES = 16
# A JPEG is decoded at 1/2 or 1/4 while both sides stay at least this many times the target.
_REDUCED_FACTOR = 2
# Never at 1/8, however large: that keeps the mean of each block of 8 x 8 pixels, rounded to a whole
# level, and on a plain background features fall to a cosine of 0.92 from those of the full decode
# (docs/explanation/accuracy.md).  It would take a fifth less time for 12 megapixels.
_REFUSED_SCALE = 8
_TRANSPOSE_BY_ORIENTATION = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPPING = tuple(_TRANSPOSE_BY_ORIENTATION[orientation] for orientation in (5, 6, 7, 8))
# Which of them put the right of the stored image first, and which its bottom.
_RIGHT_FIRST = tuple(_TRANSPOSE_BY_ORIENTATION[orientation] for orientation in (2, 3, 7, 8))
_BOTTOM_FIRST = tuple(_TRANSPOSE_BY_ORIENTATION[orientation] for orientation in (3, 4, 6, 7))

Pixels = NDArray[np.uint8]
# Left, top, right, bottom, in pixels.
Box = tuple[float, float, float, float]


@cache
def prepare_pillow() -> None:
    """Load all decoders, once in a process, and replace Pillow's limit on pixels.

    Pillow has one limit for the whole process, and raises at twice its number; `ImageLimits` is
    that of a call, and is checked before a pixel is decoded.
    """
    Image.init()
    pi_heif.register_heif_opener()
    Image.MAX_IMAGE_PIXELS = None


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """A photograph as the network takes it.

    Attributes
    ----------
    pixels : ndarray of shape (size_px, size_px, 3), uint8
        RGB, upright, resized without keeping the proportions.
    width, height : int
        Size of the original in pixels, upright.
    """

    pixels: Pixels
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class UprightImage:
    """A photograph in its own proportions.

    Attributes
    ----------
    image : PIL.Image.Image
        RGB, upright, possibly at a reduced scale.
    box : tuple of float
        Left, top, right and bottom, in pixels of ``image``, of the part that the original covers:
        a reduced scale rounds a size up that is no multiple of 4.
    width, height : int
        Size of the original in pixels, upright.
    """

    image: Image.Image
    box: Box
    width: int
    height: int

    def square(self, size_px: int) -> Image.Image:
        """Return the image resized to a square with the bicubic filter."""
        return self.image.resize((size_px, size_px), Image.Resampling.BICUBIC, box=self.box)


def decode_image(content: bytes, *, size_px: int, limits: ImageLimits) -> DecodedImage:
    """Decode an encoded image of any of `FORMATS` to a square.

    Parameters
    ----------
    content : bytes
    size_px : int
        Side of the square in pixels.
    limits : ImageLimits

    Raises
    ------
    ImageRejected
        The only exception, whatever the bytes are.
    """
    upright = decode_upright(content, target_px=size_px, limits=limits)
    return DecodedImage(np.asarray(upright.square(size_px)), upright.width, upright.height)


def decode_upright(content: bytes, *, target_px: int, limits: ImageLimits) -> UprightImage:
    """Decode an encoded image in its own proportions.

    Parameters
    ----------
    content : bytes
    target_px : int
        Each side has at least twice as many pixels, or those of the original.
    limits : ImageLimits

    Raises
    ------
    ImageRejected
        The only exception, whatever the bytes are.
    """
    prepare_pillow()
    if not content:
        raise ImageRejected(Reason.EMPTY, "0 bytes")
    check_size(len(content), limits)
    with suppress_warnings():  # Pillow warns of each damage that it works around
        return _decode(content, target_px, limits)


def _decode(content: bytes, target_px: int, limits: ImageLimits) -> UprightImage:
    image = _open(content)
    width, height = image.size
    if width * height > limits.max_megapixels * 1e6:
        raise ImageRejected(
            Reason.TOO_LARGE,
            f"{width} x {height} pixels, more than {limits.max_megapixels:g} megapixels",
        )
    try:
        least_px = max(_REDUCED_FACTOR * target_px, min(image.size) // _REFUSED_SCALE + 1)
        # Only the JPEG decoder takes this hint; the mode stays.
        drafted = image.draft(image.mode, (least_px, least_px))
        image.load()
        # After the load: Pillow turns a TIFF while it loads it, and removes the tag.
        transpose = _transpose_of(image)
        if not drafted:
            width, height = image.size
        if transpose in _SWAPPING:
            width, height = height, width
        upright = image if transpose is None else image.transpose(transpose)
        covered = drafted[1][2:] if drafted else image.size
        box = _turned_box(covered, image.size, transpose)
        return UprightImage(_to_rgb(upright), box, width, height)
    except ImageRejected:
        raise
    except MemoryError as error:
        raise ImageRejected(Reason.TOO_LARGE, "not enough memory to decode it") from error
    # On hostile bytes decoders raise any type (struct.error, KeyError, ...): with a list of types,
    # the next one would end the whole task.
    except Exception as error:
        raise ImageRejected(Reason.TRUNCATED, _detail_of(error)) from error


def _open(content: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
        if isinstance(image, TiffImageFile):
            seek_picture(image)
        return image
    except NoFullPage as error:
        raise ImageRejected(Reason.UNREADABLE, f"{error}; export it as JPEG or TIFF") from error
    except UnidentifiedImageError as error:
        if _has_signature(content):
            raise ImageRejected(Reason.TRUNCATED, "the header of the image is damaged") from error
        raise ImageRejected(Reason.NOT_AN_IMAGE, "not an image of a known format") from error
    # As above: parsers of headers raise any type.
    except Exception as error:
        raise ImageRejected(Reason.TRUNCATED, _detail_of(error)) from error


def _transpose_of(image: Image.Image) -> Image.Transpose | None:
    """Return the transposition that makes a loaded image upright; None for none or bad tags."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        return _TRANSPOSE_BY_ORIENTATION.get(orientation)
    # An EXIF block is hostile input too, and a bad one does not spoil the pixels.
    except Exception:  # noqa: BLE001
        return None


def _turned_box(
    covered: tuple[float, float], size: tuple[int, int], transpose: Image.Transpose | None
) -> Box:
    """Return the box, in the turned image, of a width and height from the top left."""
    (width, height), (right, bottom) = size, covered
    across = (width - right, width) if transpose in _RIGHT_FIRST else (0, right)
    down = (height - bottom, height) if transpose in _BOTTOM_FIRST else (0, bottom)
    (left, right), (top, bottom) = (down, across) if transpose in _SWAPPING else (across, down)
    return (left, top, right, bottom)


def _has_signature(content: bytes) -> bool:
    """Return whether the first bytes are those of a known format."""
    head = content[:_SIGNATURE_BYTES]
    accepts = (Image.OPEN[name][1] for name in FORMATS)
    return any(accept is not None and accept(head) is True for accept in accepts)


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode == "I" or image.mode.startswith("I;"):
        grey = np.asarray(image).astype(np.int64)
        # Pillow opens 16-bit files as 16 or as 32 bits, depending on the format.
        return Image.fromarray((np.clip(grey, 0, 65535) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode == "F":
        raise ImageRejected(Reason.UNREADABLE, "pixels are floating-point numbers without a range")
    if image.has_transparency_data:
        # RGBA and not RGBa: the colours of transparent pixels must not count.
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, (255, 255, 255, 255))
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _detail_of(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
