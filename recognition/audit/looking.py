"""Looking at photographs: each is read and decoded once, and what is measured of it is kept."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy import bool_, uint8
from numpy.typing import NDArray

from recognition.audit.alignment import SIZE_PX as THUMBNAIL_PX
from recognition.audit.quality import MEASURED_PX, Quality, defects, measure
from spark_assets.images.decoding import ImageLimits, ImageRejected, decode_upright
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ImageReader, ReadAhead, ReadImage
from spark_assets.storage.locations import Location
from spark_assets.storage.s3_answers import AccessRefused

# In S3 an image takes a request of 15 to 40 ms.
_N_READERS = 16
# Pillow decodes without Python's lock, which pays where there is much to decode: of photographs of
# 100 pixels, two threads looked at fewer a second than one.  Each holds one decoded image.
_N_THREADS = 2
_N_TRIED = 32
_LARGE_PIXELS = 250_000


@dataclass(frozen=True, slots=True, eq=False)
class Looked:
    """What was seen of n photographs.

    ``qualities`` and ``sizes``, (width, height) in pixels, are None where a photograph is gone or
    cannot be read any more; ``thumbnails`` is (n, 64, 64) uint8, 0 there.
    """

    qualities: list[Quality | None]
    sizes: list[tuple[int, int] | None]
    thumbnails: NDArray[uint8]

    @property
    def is_readable(self) -> NDArray[bool_]:
        """Tell which were seen, (n,)."""
        return np.array([quality is not None for quality in self.qualities], bool_)

    @property
    def spoilt(self) -> frozenset[int]:
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


def look_at(images: Location, paths: Sequence[str], limits: ImageLimits) -> Looked:
    """Read, decode and measure photographs; in threads where the first of them are large.

    Raises AccessRefused where S3 gives one to others only.
    """
    looked = Looked(
        [None] * len(paths),
        [None] * len(paths),
        np.zeros((len(paths), THUMBNAIL_PX, THUMBNAIL_PX), uint8),
    )
    first = range(min(_N_TRIED, len(paths)))
    _look_at(looked, images, paths, first, limits)
    n_pixels = [size[0] * size[1] for size in looked.sizes if size is not None]
    n_threads = _N_THREADS if n_pixels and np.median(n_pixels) >= _LARGE_PIXELS else 1
    shares = [range(len(first) + n, len(paths), n_threads) for n in range(n_threads)]
    with ThreadPoolExecutor(n_threads) as pool:
        for done in [pool.submit(_look_at, looked, images, paths, rows, limits) for rows in shares]:
            done.result()
    return looked


def _look_at(
    looked: Looked, images: Location, paths: Sequence[str], rows: range, limits: ImageLimits
) -> None:
    """Fill in what is seen of some rows."""
    for row, image in zip(rows, _read(images, paths, rows, limits), strict=True):
        if isinstance(image.content, AccessRefused):
            raise image.content
        if isinstance(image.content, ImageRejected):
            continue
        try:
            upright = decode_upright(image.content, target_px=MEASURED_PX // 2, limits=limits)
        except ImageRejected:  # it has changed since its features were made
            continue
        looked.sizes[row] = upright.width, upright.height
        looked.qualities[row], looked.thumbnails[row] = measure(upright.image)


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
