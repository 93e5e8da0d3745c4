"""Photographs that are there twice are found, and other views of a fruit are no such thing."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.photographs import draw_fruit
from recognition.audit.near_duplicates import Likeness, find_duplicates
from recognition.audit.quality import measure

N = 12


def drawn(seed: int) -> Image.Image:
    canvas = draw_fruit(np.random.default_rng(seed), 100)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def encoded_anew(image: Image.Image, quality: int = 60) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return Image.open(buffer).convert("RGB")


def cut(image: Image.Image, left: int, top: int, width: int, height: int) -> Image.Image:
    return encoded_anew(image.crop((left, top, left + width, top + height)), 80)


PHOTOGRAPHS = [drawn(seed) for seed in range(N)]


def found(images, *, digests=None, splits=None, readable=None, features=None):
    if features is None:  # all are near each other, so that the pixels alone decide
        features = 1 + 0.01 * np.random.default_rng(1).standard_normal((len(images), 16))
    return find_duplicates(
        features.astype(np.float32),
        digests or [str(n) for n in range(len(images))],
        np.stack([measure(image)[1] for image in images]),
        np.ones(len(images), bool) if readable is None else np.array(readable),
        None if splits is None else np.array(splits, np.intp),
    )


def test_different_photographs_are_no_duplicates():
    assert found(PHOTOGRAPHS) == []


@pytest.mark.parametrize("n_images", [0, 1])
def test_nothing_is_twice_among_less_than_two(n_images):
    images = PHOTOGRAPHS[:n_images]
    thumbnails = np.zeros((n_images, 64, 64), np.uint8)
    features = np.ones((n_images, 4), np.float32)
    digests = [str(n) for n, _ in enumerate(images)]
    assert find_duplicates(features, digests, thumbnails, np.ones(n_images, bool), None) == []


@pytest.mark.parametrize("size", [(100, 100), (200, 200), (80, 80), (70, 120)])
def test_a_copy_that_is_encoded_anew_is_found_whatever_its_size(size):
    copy = encoded_anew(PHOTOGRAPHS[3].resize(size, Image.Resampling.BICUBIC))
    (pair,) = found([*PHOTOGRAPHS, copy])
    assert (pair.first, pair.second, pair.likeness) == (3, N, Likeness.FRAME)
    assert pair.alike > 0.998


@pytest.mark.parametrize("factor", [0.6, 1.1])
def test_brightness_is_no_difference(factor):
    copy = PHOTOGRAPHS[2].point([min(255, round(factor * value)) for value in range(256)] * 3)
    assert [(pair.first, pair.second) for pair in found([*PHOTOGRAPHS, copy])] == [(2, N)]


@pytest.mark.parametrize(
    ("box", "share"),
    [
        ((3, 2, 94, 94), 0.94),
        ((0, 12, 88, 82), 0.82),
        ((11, 7, 80, 80), 0.8),
        ((20, 5, 75, 85), 0.75),
    ],
)
@pytest.mark.parametrize("comes_first", [True, False])
def test_a_crop_is_found_as_a_part_of_its_whole(box, share, comes_first):
    crop = cut(PHOTOGRAPHS[5], *box)
    images = [crop, *PHOTOGRAPHS] if comes_first else [*PHOTOGRAPHS, crop]
    (pair,) = found(images)
    assert pair.likeness is Likeness.CROP
    assert images[pair.second] is crop
    assert images[pair.first] is PHOTOGRAPHS[5]
    assert pair.share == pytest.approx(share, abs=0.02)


def test_another_view_of_the_same_fruit_is_not_the_same_photograph():
    turned = [PHOTOGRAPHS[5].rotate(degrees, fillcolor="white") for degrees in (4, 90, 180)]
    assert found([*PHOTOGRAPHS, *turned]) == []


def test_the_same_bytes_are_told_once_for_each_copy_and_need_no_pixels():
    digests = ["a", "b", "a", "c", "a"]
    pairs = found(PHOTOGRAPHS[:5], digests=digests, readable=[False] * 5)
    assert [(pair.first, pair.second, pair.likeness) for pair in pairs] == [
        (0, 2, Likeness.CONTENT),
        (0, 4, Likeness.CONTENT),
    ]


def test_what_teaches_holds_the_first_of_the_same_bytes():
    pairs = found(PHOTOGRAPHS[:4], digests=["a", "a", "b", "a"], splits=[1, 1, 0, 0])
    assert {(pair.first, pair.second) for pair in pairs} == {(3, 0), (3, 1)}


def test_within_a_split_what_is_alike_to_the_eye_is_left_alone():
    copy = encoded_anew(PHOTOGRAPHS[3])
    images = [*PHOTOGRAPHS, copy]
    assert found(images, splits=[0] * 6 + [1] * 6 + [0]) == []
    assert len(found(images, splits=[0] * 6 + [1] * 7)) == 1


def test_a_photograph_that_cannot_be_read_is_the_same_as_none():
    images = [*PHOTOGRAPHS, encoded_anew(PHOTOGRAPHS[3])]
    assert found(images, readable=[n != 3 for n in range(N + 1)]) == []


def test_photographs_with_distant_features_are_not_compared():
    features = np.eye(N + 1, 32)
    assert found([*PHOTOGRAPHS, encoded_anew(PHOTOGRAPHS[3])], features=features) == []


def test_of_frames_that_resemble_a_copy_the_best_one_is_its_source():
    """Two frames that differ by a shadow are both much like a copy of one of them."""
    pixels = np.asarray(PHOTOGRAPHS[7]).astype(float)
    pixels[30:60, 30:60] *= 0.97
    next_frame = Image.fromarray(pixels.astype(np.uint8))
    crop = cut(PHOTOGRAPHS[7], 8, 8, 84, 84)
    pairs = found([*PHOTOGRAPHS, next_frame, crop], splits=[0] * (N + 1) + [1])
    assert (7, N + 1) in {(pair.first, pair.second) for pair in pairs}
