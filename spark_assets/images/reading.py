"""Reading ahead: the bytes of the next images are fetched while one is featurized."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Self

from spark_assets.images.listing import ImageEntry
from spark_assets.images.regular_files import NotRegularFile, open_regular_file
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason, check_size
from spark_assets.storage.locations import Location
from spark_assets.storage.s3 import ObjectUnread
from spark_assets.storage.s3_answers import AccessRefused

# In S3 an image takes a request of 15 to 40 ms, and the network 2 to 10 ms of a core: 32 images in
# flight keep one busy.  The bytes bound what large files can make of them.
N_READERS = 32
# While the network computes a batch of 64, no image is taken from the readers: they need work.
N_AHEAD = 128
MAX_BYTES_AHEAD = 64 * 1024 * 1024
_MAX_BYTES_PER_READ = 1024 * 1024

Read = Callable[[ImageEntry], bytes]


@dataclass(frozen=True, slots=True)
class ReadImage:
    """An image with its bytes, or with the reason why it could not be read.

    An image that S3 refuses access to is not rejected: the run fails.
    """

    entry: ImageEntry
    content: bytes | ImageRejected | AccessRefused


class ImageReader:
    """Reads the bytes of one image; safe to use from several threads.

    In S3 an image is one request.  Raises AccessRefused where credentials are missing.
    """

    def __init__(self, images: Location, *, limits: ImageLimits) -> None:
        self._images = images
        self._limits = limits
        self._read = self._read_file if images.s3 is None else _reader_of_objects(images)

    def __call__(self, entry: ImageEntry) -> bytes:
        """Return the content.  Raises ImageRejected, or AccessRefused by S3."""
        if entry.size_bytes is not None:
            self._check_size(entry.size_bytes)
        try:
            content = self._read(entry.path, self._check_size)
        except FileNotFoundError as error:
            raise ImageRejected(
                Reason.UNREADABLE, "no longer there, or its name is not valid UTF-8"
            ) from error
        except (OSError, ValueError, UnicodeError) as error:
            raise ImageRejected(Reason.UNREADABLE, _detail_of(error)) from error
        return content

    def _check_size(self, size_bytes: int) -> None:
        check_size(size_bytes, self._limits)

    def _read_file(self, path: str, check: Callable[[int], None]) -> bytes:
        with open_regular_file(f"{self._images.base}/{path}") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            check(size_bytes)
            content = file.read(size_bytes + 1)
            if len(content) > size_bytes:  # it grows, or its file system reports no size
                content += file.read(self._limits.max_bytes + 1 - len(content))
        check(len(content))
        return content


def reader_of_extras(images: Location, *, limits: ImageLimits) -> Read:
    """Return a reader for optional images, such as thumbnails: it needs no credentials."""
    try:
        return ImageReader(images, limits=limits)
    except AccessRefused as no_credentials:
        refused = no_credentials

    def refuse(_: ImageEntry) -> bytes:
        raise refused

    return refuse


class ReadAhead:
    """A pool of reader threads, kept for the life of a worker.

    It reads ahead by at most ``n_ahead`` images and ``max_bytes_ahead`` bytes.  A thread reads
    ``n_per_read`` images at a time, unless they are large.
    """

    def __init__(
        self,
        *,
        n_readers: int = N_READERS,
        n_per_read: int = 1,
        n_ahead: int = N_AHEAD,
        max_bytes_ahead: int = MAX_BYTES_AHEAD,
    ) -> None:
        self._pool = ThreadPoolExecutor(n_readers, thread_name_prefix="reader")
        self._n_per_read = n_per_read
        self._n_ahead = n_ahead
        self._max_bytes_ahead = max_bytes_ahead

    @classmethod
    def for_storage(cls, images: Location) -> Self:
        """Return a pool for S3, where a read is a wait, or for a local folder, where it is not.

        To hand over images one by one took 70 microseconds of Python's lock each, a tenth of the
        time in which two threads featurize one.
        """
        return cls() if images.s3 is not None else cls(n_readers=4, n_per_read=16)

    def read(self, entries: Iterable[ImageEntry], read: Read) -> Iterator[ReadImage]:
        """Yield every entry once, in order, with its bytes or the reason why there are none."""
        waiting: deque[tuple[int, int, Future[list[ReadImage]]]] = deque()
        n_ahead = bytes_ahead = 0
        for chunk in self._chunks(entries):
            size_bytes = sum(entry.size_bytes or 0 for entry in chunk)
            while waiting and (
                n_ahead + len(chunk) > self._n_ahead
                or bytes_ahead + size_bytes > self._max_bytes_ahead
            ):
                n_read, bytes_read, images = waiting.popleft()
                n_ahead, bytes_ahead = n_ahead - n_read, bytes_ahead - bytes_read
                yield from images.result()
            waiting.append((len(chunk), size_bytes, self._pool.submit(_read_all, chunk, read)))
            n_ahead, bytes_ahead = n_ahead + len(chunk), bytes_ahead + size_bytes
        for _, _, images in waiting:
            yield from images.result()

    def _chunks(self, entries: Iterable[ImageEntry]) -> Iterator[list[ImageEntry]]:
        chunk: list[ImageEntry] = []
        size_bytes = 0
        for entry in entries:
            chunk.append(entry)
            size_bytes += entry.size_bytes or 0
            if len(chunk) == self._n_per_read or size_bytes > _MAX_BYTES_PER_READ:
                yield chunk
                chunk, size_bytes = [], 0
        if chunk:
            yield chunk


def _reader_of_objects(images: Location) -> Callable[[str, Callable[[int], None]], bytes]:
    # Its libraries take 20 ms to import, which runs on a local folder save.
    from spark_assets.images.s3_objects import object_reader

    assert images.s3 is not None
    read, prefix = object_reader(images.bucket, images.s3, N_READERS), images.prefix
    return lambda path, check: read(prefix + path, check)


def _read_all(entries: Iterable[ImageEntry], read: Read) -> list[ReadImage]:
    return [_read(entry, read) for entry in entries]


def _read(entry: ImageEntry, read: Read) -> ReadImage:
    try:
        return ReadImage(entry, read(entry))
    except (ImageRejected, AccessRefused) as failure:
        return ReadImage(entry, failure)


def _detail_of(error: Exception) -> str:
    """Describe a failure without the message of storage, which names folders and accounts."""
    if isinstance(error, ObjectUnread | NotRegularFile):
        return str(error)
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
