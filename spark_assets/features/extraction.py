"""Images to rows of features or of rejected images, in Arrow batches of bounded size."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from spark_assets.features.engines import Engine
from spark_assets.images.decoding import DecodedImage, decode_image
from spark_assets.images.labels import LabelRule
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadImage
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.storage.s3_answers import AccessRefused
from spark_assets.storage.schemas import OUTCOMES

# 330 kB of features.
ROWS_PER_BATCH = 64
_PARENT_FOLDER = LabelRule()
_ERASED = "it was erased, and is refused until fruits erase --allow-again accepts it"


@dataclass(frozen=True, slots=True)
class _Usable:
    entry: ImageEntry
    content_sha256: str
    size_bytes: int
    image: DecodedImage


@dataclass(frozen=True, slots=True)
class _Rejected:
    entry: ImageEntry
    rejected: ImageRejected


# Whether an image of this SHA-256 was erased.
IsErased = Callable[[str], bool]


def extract(
    images: Iterable[ReadImage],
    *,
    engine: Engine,
    size_px: int,
    limits: ImageLimits,
    labels: LabelRule = _PARENT_FOLDER,
    is_erased: IsErased | None = None,
) -> Iterator[pa.RecordBatch]:
    """Decode and featurize images, in order.

    Parameters
    ----------
    images : iterable of ReadImage
    engine : Engine
    size_px : int
        Side of the square that the engine takes, in pixels.
    limits, labels, is_erased
        An image beyond the limits, or erased, is rejected.

    Yields
    ------
    pyarrow.RecordBatch
        Of `schemas.OUTCOMES`, at most `ROWS_PER_BATCH` rows, one for each image: features, or a
        reason of rejection.

    Raises
    ------
    AccessRefused
        Where S3 refuses access to an image.  Errors of the engine are raised too: they are not the
        fault of one image.
    """
    pending: list[_Usable | _Rejected] = []
    for image in images:
        pending.append(_decode(image, size_px, limits, is_erased))
        if len(pending) == ROWS_PER_BATCH:
            yield _batch(pending, engine, labels)
            pending = []
    if pending:
        yield _batch(pending, engine, labels)


def _decode(
    image: ReadImage, size_px: int, limits: ImageLimits, is_erased: IsErased | None
) -> _Usable | _Rejected:
    if isinstance(image.content, AccessRefused):
        raise image.content
    if isinstance(image.content, ImageRejected):
        return _Rejected(image.entry, image.content)
    sha256 = hashlib.sha256(image.content).hexdigest()
    if is_erased is not None and is_erased(sha256):
        return _Rejected(image.entry, ImageRejected(Reason.UNREADABLE, _ERASED))
    try:
        decoded = decode_image(image.content, size_px=size_px, limits=limits)
    except ImageRejected as rejected:
        return _Rejected(image.entry, rejected)
    return _Usable(image.entry, sha256, len(image.content), decoded)


def _batch(
    outcomes: list[_Usable | _Rejected], engine: Engine, labels: LabelRule
) -> pa.RecordBatch:
    usable = [outcome for outcome in outcomes if isinstance(outcome, _Usable)]
    features = _features([outcome.image.pixels for outcome in usable], engine)
    good = [isinstance(outcome, _Usable) for outcome in outcomes]
    columns = {
        "path": [outcome.entry.path for outcome in outcomes],
        "label": labels.labels_of([outcome.entry.path for outcome in outcomes]),
        "content_sha256": [o.content_sha256 if isinstance(o, _Usable) else None for o in outcomes],
        "size_bytes": [
            o.size_bytes if isinstance(o, _Usable) else o.entry.size_bytes for o in outcomes
        ],
        "modified_at": [outcome.entry.modified_at for outcome in outcomes],
        "width": [o.image.width if isinstance(o, _Usable) else None for o in outcomes],
        "height": [o.image.height if isinstance(o, _Usable) else None for o in outcomes],
        "features": _list_array(features, good),
        "reason": [str(o.rejected.reason) if isinstance(o, _Rejected) else None for o in outcomes],
        "detail": [o.rejected.detail if isinstance(o, _Rejected) else None for o in outcomes],
    }
    arrays = [
        values if isinstance(values, pa.Array) else pa.array(values, OUTCOMES.field(name).type)
        for name, values in columns.items()
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=OUTCOMES)


def _features(pixels: list[NDArray[np.uint8]], engine: Engine) -> NDArray[np.float32]:
    """Return (n, n_features) float32; (0, 0) for no image."""
    step = engine.batch_size
    parts = [
        engine(np.stack(pixels[start : start + step])) for start in range(0, len(pixels), step)
    ]
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _list_array(features: NDArray[np.float32], good: list[bool]) -> pa.ListArray:
    """Return the rows of features as lists, null where an image has none."""
    lengths = np.array(good, dtype=np.int32) * features.shape[1]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    values = pa.array(features.reshape(-1), pa.float32())
    mask = pa.array([not is_good for is_good in good])
    column = OUTCOMES.field("features").type
    return pa.ListArray.from_arrays(pa.array(offsets), values, type=column, mask=mask)
