"""Pixel statistics of photographs, each read and decoded once."""

import io
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy import float16, float32, int64
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter

from recognition.audit.quality import MEASURED_PX, Quality, defects, measure_quality, reduced
from spark_assets.images.decoding import decode_upright
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader, ReadAhead, ReadImage
from spark_assets.images.rejection import ImageLimits, ImageRejected
from spark_assets.runtime.progress import track
from spark_assets.runtime.suppress_output import suppress_warnings
from spark_assets.storage.locations import Location
from spark_assets.storage.s3_answers import AccessRefused

# In S3 an image takes a request of 15 to 40 ms.
_N_READERS = 16
# Pillow decodes without Python's lock, which pays where there is much to decode: of photographs of
# 100 pixels, two threads measured fewer a second than one.  Each holds one decoded image.
_N_THREADS = 2
_N_TRIED = 32
_LARGE_PIXELS = 250_000
# Details of 1 to 2.5 of 32 pixels: copies by JPEG and resizing correlate to 0.9996, the next frame
# of a turning fruit to less.  At 64 and 100 pixels, or finer, JPEG changes as much.
_THUMBNAIL_PX, _MARGIN_PX = 32, 2
_FINE_PX, _COARSE_PX = 1.0, 2.5
N_DETAILS = (_THUMBNAIL_PX - 2 * _MARGIN_PX) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class PixelStatistics:
    """Measurements of n photographs.

    Attributes
    ----------
    qualities : list of n Quality or None
        None where a photograph was deleted or cannot be read any more.
    details : ndarray of shape (n, 784), float16
        Of unit length, or 0 where a photograph could not be read.
    settings : ndarray of shape (n,), int64
        A number for size, format and quantization tables of the file.
    """

    qualities: list[Quality | None]
    details: NDArray[float16]
    settings: NDArray[int64]

    def __add__(self, other: "PixelStatistics") -> "PixelStatistics":
        return PixelStatistics(
            self.qualities + other.qualities,
            np.concatenate([self.details, other.details]),
            np.concatenate([self.settings, other.settings]),
        )

    @property
    def defective(self) -> frozenset[int]:
        """The rows with a defect."""
        rows = enumerate(self.qualities)
        return frozenset(row for row, each in rows if each is not None and any(defects(each)))

    @property
    def n_unreadable(self) -> int:
        return self.qualities.count(None)


def measure_photographs(
    images: Location, paths: Sequence[str], limits: ImageLimits
) -> PixelStatistics:
    """Read, decode and measure photographs, with progress; in threads where the first are large.

    Raises AccessRefused where S3 refuses one.
    """
    done: list[str] = []  # appended to by every thread
    measure = partial(_measure, images, limits=limits, done=done)
    with track(lambda: len(done), n_images=len(paths)):
        statistics = measure(paths[:_N_TRIED])
        rest = paths[_N_TRIED:]
        n_pixels = [each.width * each.height for each in statistics.qualities if each is not None]
        n_threads = _N_THREADS if n_pixels and np.median(n_pixels) >= _LARGE_PIXELS else 1
        n = -(-len(rest) // n_threads)
        parts = [rest[start : start + n] for start in range(0, len(rest), n or 1)]
        with ThreadPoolExecutor(n_threads) as pool:
            return sum(pool.map(measure, parts), statistics)


def details_of(image: Image.Image) -> NDArray[float16]:
    """Return the middle-sized details of an RGB image resized to a square: (784,), unit length.

    They are 0 for an image of one colour, which has none.
    """
    size = (_THUMBNAIL_PX, _THUMBNAIL_PX)
    grey = image.convert("L").resize(size, Image.Resampling.HAMMING)
    pixels = np.asarray(grey, float32)
    band = gaussian_filter(pixels, _FINE_PX, mode="nearest")
    band -= gaussian_filter(pixels, _COARSE_PX, mode="nearest")
    inner = band[_MARGIN_PX:-_MARGIN_PX, _MARGIN_PX:-_MARGIN_PX].ravel()
    length = np.linalg.norm(inner)
    details: NDArray[float16] = (inner / length if length > 1 else 0 * inner).astype(float16)
    return details


def settings_of(content: bytes) -> int:
    """Return a number for the size, format and quantization tables of an encoded image."""
    with suppress_warnings(), Image.open(io.BytesIO(content)) as image:
        tables = getattr(image, "quantization", None)
        return zlib.crc32(repr((image.format, image.size, tables)).encode())


def _measure(
    images: Location, paths: Sequence[str], *, limits: ImageLimits, done: list[str]
) -> PixelStatistics:
    """Measure photographs one after the other, and append the path of each to ``done``."""
    qualities: list[Quality | None] = [None] * len(paths)
    details = np.zeros((len(paths), N_DETAILS), float16)
    settings = np.zeros(len(paths), int64)
    for row, image in enumerate(_read(images, paths, limits)):
        done.append(paths[row])
        if isinstance(image.content, AccessRefused):
            raise image.content
        if isinstance(image.content, ImageRejected):
            continue
        try:
            upright = decode_upright(image.content, target_px=MEASURED_PX // 2, limits=limits)
        except ImageRejected:  # changed since its features were made
            continue
        small = reduced(upright.image)
        qualities[row] = measure_quality(small, (upright.width, upright.height))
        details[row] = details_of(small)
        settings[row] = settings_of(image.content)
    return PixelStatistics(qualities, details, settings)


def _read(images: Location, paths: Sequence[str], limits: ImageLimits) -> Iterator[ReadImage]:
    entries = (ImageEntry(path, None, None) for path in paths)
    reader = ImageReader(images, limits=limits)
    if images.s3 is not None:
        return ReadAhead(n_readers=_N_READERS).read(entries, reader)
    return (_read_here(reader, entry) for entry in entries)


def _read_here(reader: ImageReader, entry: ImageEntry) -> ReadImage:
    """Read in this thread: a pool costs more than reading a small file from a disk."""
    try:
        return ReadImage(entry, reader(entry))
    except ImageRejected as rejected:
        return ReadImage(entry, rejected)
