"""The list stage: what there is to featurize, as one Arrow table in the driver."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc

from spark_assets.chain.options import FeaturizeOptions
from spark_assets.images.image_list import read_image_list
from spark_assets.images.listing import (
    ImageEntry,
    entries_in,
    instant_of,
    list_images,
    local_entry,
    table_of,
)
from spark_assets.storage.locations import Location

# In S3 asking for a size takes 20 ms, nearly all of it waiting.
_N_THREADS = 32
_ENTRIES_PER_THREAD = 100


def list_photographs(options: FeaturizeOptions) -> pa.Table:
    """Return `schemas.LISTED`, ordered by path: the images, or those that a list names.

    With ``limit``, the first of them.  Raises FruitsError where they cannot be listed.
    """
    if options.image_list is None:
        listed = list_images(options.images)
    else:
        listed = _from_image_list(options.images, options.image_list)
    return listed if options.limit is None else listed.slice(0, options.limit)


def _from_image_list(images: Location, image_list: str) -> pa.Table:
    """Return the images of a list, each once, with the sizes that the list does not tell."""
    named = table_of({entry.path: entry for entry in read_image_list(image_list, images)}.values())
    has_size = pc.is_valid(named["size_bytes"])
    unknown = named.filter(pc.invert(has_size))
    starts = range(0, unknown.num_rows, _ENTRIES_PER_THREAD)
    with ThreadPoolExecutor(_N_THREADS) as pool:
        shares = (unknown.slice(start, _ENTRIES_PER_THREAD) for start in starts)
        asked = pool.map(lambda share: _with_sizes(images, [*entries_in(share)]), shares)
        found = table_of(chain.from_iterable(asked))
    return pa.concat_tables([named.filter(has_size), found]).sort_by("path")


def _with_sizes(images: Location, entries: list[ImageEntry]) -> list[ImageEntry]:
    if images.s3 is None:
        return [local_entry(entry.path, f"{images.base}/{entry.path}") for entry in entries]
    infos = images.filesystem.get_file_info([f"{images.base}/{each.path}" for each in entries])
    return [
        ImageEntry(
            entry.path, info.size, None if info.mtime_ns is None else instant_of(info.mtime_ns)
        )
        for entry, info in zip(entries, infos, strict=True)
    ]
