import hashlib
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from spark_assets.features.extraction import ROWS_PER_BATCH, extract
from spark_assets.features.partition import MAX_IMAGES, split_images
from spark_assets.images.listing import ImageEntry
from spark_assets.images.reading import ReadImage
from spark_assets.images.rejection import ImageLimits, ImageRejected, Reason
from spark_assets.storage.schemas import OUTCOMES
from tests.spark.images import encode, picture

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


class MeanColour:
    """An engine whose features are known: the mean of each channel."""

    def __init__(self, batch_size: int = 1) -> None:
        self.batch_size = batch_size
        self.batches: list[int] = []

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        self.batches.append(len(pixels))
        return pixels.mean(axis=(1, 2)).astype(np.float32)


def read(path: str, content: bytes | ImageRejected) -> ReadImage:
    size_bytes = len(content) if isinstance(content, bytes) else 99
    return ReadImage(ImageEntry(path, size_bytes, WHEN), content)


def rows(images: list[ReadImage], engine: MeanColour | None = None) -> list[dict]:
    batches = extract(images, engine=engine or MeanColour(), size_px=32, limits=ImageLimits())
    return pa.Table.from_batches(list(batches), OUTCOMES).to_pylist()


def test_a_good_image_gives_its_features_and_facts():
    content = encode(picture(120, 80), "PNG")
    (row,) = rows([read("kiwi/1.png", content)])
    assert (row["path"], row["label"]) == ("kiwi/1.png", "kiwi")
    assert (row["width"], row["height"], row["size_bytes"]) == (120, 80, len(content))
    assert row["content_sha256"] == hashlib.sha256(content).hexdigest()
    assert row["modified_at"] == WHEN
    assert len(row["features"]) == 3
    assert row["reason"] is None


def grey(value: int) -> bytes:
    return encode(Image.new("RGB", (8, 8), (value, value, value)), "PNG")


def test_bad_images_cost_their_own_rows_and_shift_no_features():
    images = [
        read("a/0.png", grey(10)),
        read("a/1.png", b""),
        read("a/2.png", grey(20)),
        read("a/3.png", ImageRejected(Reason.UNREADABLE, "gone")),
        read("a/4.png", grey(30)),
    ]
    found = rows(images)
    assert [row["path"] for row in found] == [image.entry.path for image in images]
    assert [row["reason"] for row in found] == [None, "empty", None, "unreadable", None]
    assert [row["features"] and row["features"][0] for row in found] == [10, None, 20, None, 30]


def test_all_rejected_is_no_reason_to_stop():
    assert [row["reason"] for row in rows([read("a", b""), read("b", b"text")])] == [
        "empty",
        "not_an_image",
    ]


def test_nothing_in_nothing_out():
    assert rows([]) == []


@pytest.mark.parametrize("n_images", [1, ROWS_PER_BATCH, ROWS_PER_BATCH + 1, 3 * ROWS_PER_BATCH])
def test_batches_are_bounded_and_complete(n_images):
    content = encode(picture(16, 16), "PNG")
    images = (read(f"{index}.png", content) for index in range(n_images))
    batches = list(extract(images, engine=MeanColour(), size_px=8, limits=ImageLimits()))
    assert max(batch.num_rows for batch in batches) <= ROWS_PER_BATCH
    assert sum(batch.num_rows for batch in batches) == n_images


def test_an_engine_never_gets_more_than_its_batch():
    engine = MeanColour(batch_size=10)
    content = encode(picture(16, 16), "PNG")
    rows([read(f"{index}.png", content) for index in range(ROWS_PER_BATCH)], engine)
    assert max(engine.batches) == 10
    assert sum(engine.batches) == ROWS_PER_BATCH


def test_what_an_engine_raises_ends_the_task():
    class Broken(MeanColour):
        def __call__(self, pixels: np.ndarray) -> np.ndarray:
            raise RuntimeError("the engine is broken")

    with pytest.raises(RuntimeError, match="the engine is broken"):
        rows([read("a", encode(picture(), "PNG"))], Broken())


@pytest.mark.parametrize("n_slots", [1, 2, 64])
@pytest.mark.parametrize("n_images", [0, 1, 33, 200, 5000, 200_000])
def test_shares_are_even_in_order_and_bounded_and_leave_no_slot_without(n_images, n_slots):
    images = pa.table({"path": [f"{number:06d}" for number in range(n_images)]})
    shares = split_images(images, n_slots)
    assert pa.concat_tables([images.slice(0, 0), *shares]).equals(images)
    sizes = [share.num_rows for share in shares]
    assert max(sizes, default=0) <= MAX_IMAGES
    assert max(sizes, default=0) - min(sizes, default=0) <= 1
    assert len(shares) >= min(n_slots, n_images // 32)
    assert len(shares) == 1 or min(sizes, default=16) >= 16  # of which none is all start
