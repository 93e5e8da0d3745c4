"""From bytes to pixels: the one way in which every photograph is decoded.

The picture becomes 8-bit RGB, upright, and is resized to a square with Pillow's bicubic filter,
as ``keras.utils.load_img(..., interpolation="bicubic")`` does.  Colour is converted like this:

- grey, palette, CMYK, YCbCr and Lab as Pillow's ``convert("RGB")`` does, without colour profiles;
- an alpha channel or a transparent colour is laid over white;
- 16-bit and 32-bit integer greys keep their high byte, as Pillow does for 16-bit RGB;
- an animation gives its first frame, a file of several pictures its main one (of a HEIF the primary
  image, of a TIFF the first page in full resolution: `tiff_pages`).

The orientation is applied, as ``PIL.ImageOps.exif_transpose`` does: that of EXIF, or of XMP where
EXIF has none; what is damaged or out of range counts as upright.  HEIF has its own way to turn a
picture, beside which the EXIF tag counts for nothing.  No other metadata is read.
"""

import io
from dataclasses import dataclass

import numpy as np
import pi_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason, check_size
from spark_assets.images.tiff_pages import NoFullPage, seek_picture
from spark_assets.runtime.suppress_output import suppress_warnings

# Pillow loads its decoders at the first image that needs them, and knows no others before.
Image.init()
pi_heif.register_heif_opener()
# Pillow's own guard raises at a number that it fixes for the whole process; the limit here is an
# option of the run, checked before a pixel is decoded.
Image.MAX_IMAGE_PIXELS = None

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
# (docs/accuracy.md).  It would take a fifth less time for 12 megapixels.
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
# Left, top, right, bottom in pixels, which may be cut.
Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class DecodedImage:
    """Pixels (size_px, size_px, 3) uint8 RGB, and the upright size of the original in pixels."""

    pixels: Pixels
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class UprightImage:
    """An RGB image, and the upright size of the original in pixels.

    ``box`` is the part of the image that the original covers: of a size that is no multiple of 4,
    a reduced scale rounds up, and its last row and column are only begun.
    """

    image: Image.Image
    box: Box
    width: int
    height: int

    def square(self, size_px: int) -> Image.Image:
        """Return it resized to a square with the bicubic filter, in no proportions."""
        return self.image.resize((size_px, size_px), Image.Resampling.BICUBIC, box=self.box)


def decode_image(content: bytes, *, size_px: int, limits: ImageLimits) -> DecodedImage:
    """Decode one image of any supported format to a square of ``size_px``.

    Raises ImageRejected, and nothing else, whatever the bytes are.
    """
    upright = decode_upright(content, target_px=size_px, limits=limits)
    return DecodedImage(np.asarray(upright.square(size_px)), upright.width, upright.height)


def decode_upright(content: bytes, *, target_px: int, limits: ImageLimits) -> UprightImage:
    """Decode one image to RGB, upright, in its own proportions.

    Each side has at least twice ``target_px`` pixels, or as many as the original.

    Raises ImageRejected, and nothing else, whatever the bytes are.
    """
    if not content:
        raise ImageRejected(Reason.EMPTY, "0 bytes")
    check_size(len(content), limits)
    with suppress_warnings():  # Pillow tells of damage that it works around, once per file
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
        # A hint that only the JPEG decoder takes; it leaves the mode as it is.
        drafted = image.draft(image.mode, (least_px, least_px))
        image.load()
        # Asked once the pixels are there: Pillow turns a TIFF while it loads it, and takes the tag
        # off.  Before, both the turn and the exchange of the sides would be done twice.
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
    # The decoders meet hostile bytes and raise what they like (struct.error, KeyError, ...):
    # a list of types would let the next one end the whole task.
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
    # As above: the parsers of headers raise anything.
    except Exception as error:
        raise ImageRejected(Reason.TRUNCATED, _detail_of(error)) from error


def _transpose_of(image: Image.Image) -> Image.Transpose | None:
    """Return what makes an image upright that is loaded; None where it is, or its tags are bad."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
        return _TRANSPOSE_BY_ORIENTATION.get(orientation)
    # EXIF blocks are hostile input like the rest, and a bad one does not spoil the pixels.
    except Exception:  # noqa: BLE001
        return None


def _turned_box(
    covered: tuple[float, float], size: tuple[int, int], transpose: Image.Transpose | None
) -> Box:
    """Return where the covered width and height, from the top left, lie in the turned image."""
    (width, height), (right, bottom) = size, covered
    across = (width - right, width) if transpose in _RIGHT_FIRST else (0, right)
    down = (height - bottom, height) if transpose in _BOTTOM_FIRST else (0, bottom)
    (left, right), (top, bottom) = (down, across) if transpose in _SWAPPING else (across, down)
    return (left, top, right, bottom)


def _has_signature(content: bytes) -> bool:
    """Tell whether the first bytes are those of a known format."""
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
