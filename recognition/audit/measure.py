"""What is measured of photographs: each is read and decoded once."""

import io
import zlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy import bool_, float16, float32, int64
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
# Details of 1 to 2.5 of 32 pixels: JPEG and resizing leave them (a correlation of 0.9996), the next
# frame of a turning fruit does not.  At 64 and 100 pixels, or finer, JPEG changes as much.
_THUMBNAIL_PX, _MARGIN_PX = 32, 2
_FINE_PX, _COARSE_PX = 1.0, 2.5
N_DETAILS = (_THUMBNAIL_PX - 2 * _MARGIN_PX) ** 2


@dataclass(frozen=True, slots=True, eq=False)
class PixelStatistics:
    """What was measured of n photographs.

    ``qualities`` and ``sizes``, (width, height) in pixels, are None where a photograph is gone or
    cannot be read any more.  ``details`` is (n, 784) float16, of unit length, and 0 there;
    ``settings`` (n,) int64 is a number for size, format and quantization tables of the file.
    """

    qualities: list[Quality | None]
    sizes: list[tuple[int, int] | None]
    details: NDArray[float16]
    settings: NDArray[int64]

    def __add__(self, other: "PixelStatistics") -> "PixelStatistics":
        return PixelStatistics(
            self.qualities + other.qualities,
            self.sizes + other.sizes,
            np.concatenate([self.details, other.details]),
            np.concatenate([self.settings, other.settings]),
        )

    @property
    def is_readable(self) -> NDArray[bool_]:
        """Return which were read, (n,)."""
        return np.array([quality is not None for quality in self.qualities], bool_)

    @property
    def defective(self) -> frozenset[int]:
        """Return the rows that show too little."""
        rows = enumerate(zip(self.qualities, self.sizes, strict=True))
        return frozenset(
            row
            for row, (quality, size) in rows
            if size is not None and any(defects(quality, *size))
        )

    @property
    def n_unreadable(self) -> int:
        return len(self.qualities) - int(self.is_readable.sum())


def measure_photographs(
    images: Location, paths: Sequence[str], limits: ImageLimits
) -> PixelStatistics:
    """Read, decode and measure photographs, with progress; in threads where the first are large.

    Raises AccessRefused where S3 refuses one.
    """
    statistics = PixelStatistics(
        [None] * len(paths),
        [None] * len(paths),
        np.zeros((len(paths), N_DETAILS), float16),
        np.zeros(len(paths), int64),
    )
    done: list[int] = []  # appended to by every thread
    first = range(min(_N_TRIED, len(paths)))
    with track(lambda: len(done), n_images=len(paths)):
        _measure(statistics, images, paths, first, limits, done)
        n_pixels = [size[0] * size[1] for size in statistics.sizes if size is not None]
        n_threads = _N_THREADS if n_pixels and np.median(n_pixels) >= _LARGE_PIXELS else 1
        shares = [range(len(first) + n, len(paths), n_threads) for n in range(n_threads)]
        with ThreadPoolExecutor(n_threads) as pool:
            futures = [
                pool.submit(_measure, statistics, images, paths, rows, limits, done)
                for rows in shares
            ]
            for future in futures:
                future.result()
    return statistics


def details_of(image: Image.Image) -> NDArray[float16]:
    """Return the middle-sized details of an RGB image squeezed to a square: (784,), unit length.

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
    statistics: PixelStatistics,
    images: Location,
    paths: Sequence[str],
    rows: range,
    limits: ImageLimits,
    done: list[int],
) -> None:
    """Fill in what is measured of some rows."""
    for row, image in zip(rows, _read(images, paths, rows, limits), strict=True):
        done.append(row)
        if isinstance(image.content, AccessRefused):
            raise image.content
        if isinstance(image.content, ImageRejected):
            continue
        try:
            upright = decode_upright(image.content, target_px=MEASURED_PX // 2, limits=limits)
        except ImageRejected:  # it has changed since its features were made
            continue
        small = reduced(upright.image)
        statistics.sizes[row] = upright.width, upright.height
        statistics.qualities[row] = measure_quality(small)
        statistics.details[row] = details_of(small)
        statistics.settings[row] = settings_of(image.content)


def _read(
    images: Location, paths: Sequence[str], rows: range, limits: ImageLimits
) -> Iterator[ReadImage]:
    entries = (ImageEntry(paths[row], None, None) for row in rows)
    reader = ImageReader(images, limits=limits)
    if images.s3 is not None:
        return ReadAhead(n_readers=_N_READERS).read(entries, reader)
    return (_read_here(reader, entry) for entry in entries)


def _read_here(reader: ImageReader, entry: ImageEntry) -> ReadImage:
    """Read without a pool: to hand a small file over costs more than to read it from a disk."""
    try:
        return ReadImage(entry, reader(entry))
    except ImageRejected as rejected:
        return ReadImage(entry, rejected)
