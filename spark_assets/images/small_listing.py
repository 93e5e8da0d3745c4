"""Listing a small source without Spark: a thread for each folder, and no task to be started."""

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from spark_assets.images.listing import ImageEntry, list_level
from spark_assets.locations import Location

# 100,200 files took 2 s here; Spark's own listing of them 4 s more.
MAX_IMAGES = 200_000
# In S3 a thousand names take 50 ms and more, nearly all of it waiting.
_N_THREADS = 16

_Level = tuple[list[ImageEntry], list[str]]


def list_if_small(images: Location, *, max_images: int = MAX_IMAGES) -> list[ImageEntry] | None:
    """Return all images, ordered by path, or None where there are more than ``max_images``.

    Raises FruitsError where a folder or bucket cannot be listed.
    """
    entries: list[ImageEntry] = []
    pool = ThreadPoolExecutor(_N_THREADS)
    try:
        waiting: set[Future[_Level]] = {pool.submit(_level, images, "", max_images)}
        n_folders = 1
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for found, folders in (level.result() for level in done):
                entries.extend(found)
                n_folders += len(folders)
                if len(entries) > max_images or n_folders > max_images:
                    return None
                waiting.update(pool.submit(_level, images, each, max_images) for each in folders)
    finally:
        pool.shutdown(cancel_futures=True)
    return sorted(entries, key=lambda entry: entry.path)


def _level(images: Location, folder: str, max_images: int) -> _Level:
    """Return the images of one folder and its subfolders: of many, enough to tell that."""
    level = list(islice(list_level(images, folder), max_images + 1))
    found = [entry for entry in level if isinstance(entry, ImageEntry)]
    return found, [entry for entry in level if isinstance(entry, str)]
