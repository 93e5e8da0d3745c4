"""Photographs that are there twice are found, and other views of a fruit are no such thing."""

import io

import numpy as np
import pytest
from PIL import Image

from benchmarks.photographs import draw_fruit
from recognition.audit.measure import details_of, settings_of
from recognition.audit.near_duplicates import find_duplicates
from recognition.audit.quality import reduced
from recognition.audit.reduce_features import reduce_features
from spark_assets.output.findings_table import FindingKind

N = 12


def drawn(seed: int) -> Image.Image:
    canvas = draw_fruit(np.random.default_rng(seed), 100)
    return Image.fromarray(np.clip(canvas, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image, quality: int = 95) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def re_encoded(image: Image.Image, quality: int = 60) -> Image.Image:
    return Image.open(io.BytesIO(jpeg(image, quality))).convert("RGB")


PHOTOGRAPHS = [drawn(seed) for seed in range(N)]


def found(images, *, digests=None, splits=None, readable=None, features=None, qualities=None):
    """Return the pairs among images; as files they have the quality that is given, or 95."""
    if features is None:  # all are near each other, so that the pixels alone decide
        features = np.array([1.0, 0]) + 0.01 * np.random.default_rng(1).random((len(images), 2))
        features /= np.linalg.norm(features, axis=1, keepdims=True)
    details = np.stack([details_of(reduced(image)) for image in images])
    if readable is not None:
        details[~np.array(readable)] = 0
    qualities = qualities or [95] * len(images)
    files = (jpeg(image, quality) for image, quality in zip(images, qualities, strict=True))
    return find_duplicates(
        features.astype(np.float32),
        digests or [str(n) for n in range(len(images))],
        details,
        np.array([settings_of(file) for file in files]),
        None if splits is None else np.array(splits, np.intp),
    )


def of_kind(pairs, kind):
    return {(pair.first, pair.second) for pair in pairs if pair.kind is kind}


def with_copy(copy, **options):
    return found([*PHOTOGRAPHS, copy], qualities=[95] * N + [60], **options)


def test_different_photographs_are_no_duplicates():
    assert found(PHOTOGRAPHS) == []


@pytest.mark.parametrize("n_images", [0, 1])
def test_nothing_is_twice_among_less_than_two(n_images):
    empty = np.zeros((n_images, 784), np.float16), np.zeros(n_images, np.int64)
    features = np.ones((n_images, 4), np.float32)
    assert find_duplicates(features, ["a"] * n_images, *empty, None) == []


@pytest.mark.parametrize("size", [(100, 100), (200, 200), (80, 80), (70, 120)])
def test_a_re_encoded_copy_is_found_whatever_its_size(size):
    copy = re_encoded(PHOTOGRAPHS[3].resize(size, Image.Resampling.BICUBIC))
    (pair,) = with_copy(copy)
    assert (pair.first, pair.second, pair.kind) == (3, N, FindingKind.NEAR_DUPLICATE)
    assert pair.similarity >= 0.9996


@pytest.mark.parametrize("factor", [0.6, 1.05])
def test_brightness_is_no_difference(factor):
    copy = PHOTOGRAPHS[2].point([min(255, round(factor * value)) for value in range(256)] * 3)
    assert of_kind(with_copy(copy), FindingKind.NEAR_DUPLICATE) == {(2, N)}


def test_another_view_of_the_same_fruit_is_not_the_same_photograph():
    turned = [PHOTOGRAPHS[5].rotate(degrees, fillcolor="white") for degrees in (1, 4, 90, 180)]
    assert found([*PHOTOGRAPHS, *turned], qualities=[95] * N + [60] * 4) == []


def test_with_the_same_settings_a_photograph_is_no_copy_unless_it_is_equal():
    """A fruit after a full turn looks the same to the pixels, but was not encoded anew."""
    almost = re_encoded(PHOTOGRAPHS[3])
    assert found([*PHOTOGRAPHS, almost]) == []
    assert of_kind(found([*PHOTOGRAPHS, PHOTOGRAPHS[3]]), FindingKind.NEAR_DUPLICATE) == {(3, N)}


def test_the_same_bytes_are_told_once_for_each_copy_and_need_no_pixels():
    pairs = found(PHOTOGRAPHS[:5], digests=["a", "b", "a", "c", "a"], readable=[False] * 5)
    assert of_kind(pairs, FindingKind.DUPLICATE) == {(0, 2), (0, 4)}
    assert len(pairs) == 2


def test_the_training_split_holds_the_first_of_the_same_bytes():
    pairs = found(PHOTOGRAPHS[:4], digests=["a", "a", "b", "a"], splits=[1, 1, 0, 0])
    assert of_kind(pairs, FindingKind.DUPLICATE) == {(0, 3), (1, 3)}


def test_within_a_split_only_the_same_bytes_are_found():
    copy = re_encoded(PHOTOGRAPHS[3])
    near = FindingKind.NEAR_DUPLICATE
    assert not of_kind(with_copy(copy, splits=[0] * 6 + [1] * 6 + [0]), near)
    assert of_kind(with_copy(copy, splits=[0] * 6 + [1] * 7), near) == {(3, N)}


def test_a_similar_view_is_one_across_splits_and_none_within_one():
    features = np.eye(4, 8)
    features[3] = 0.95 * features[0] + np.sqrt(1 - 0.95**2) * features[3]
    images = PHOTOGRAPHS[:4]
    assert found(images, features=features) == []
    assert found(images, features=features, splits=[0, 1, 1, 0]) == []
    (pair,) = found(images, features=features, splits=[0, 0, 1, 1])
    assert (pair.first, pair.second, pair.kind) == (0, 3, FindingKind.SIMILAR_VIEW)
    assert pair.similarity == pytest.approx(0.95)


def test_a_photograph_that_cannot_be_read_is_the_same_as_none():
    readable = [n != 3 for n in range(N + 1)]
    assert with_copy(re_encoded(PHOTOGRAPHS[3]), readable=readable) == []


def test_photographs_with_distant_features_are_not_compared():
    assert with_copy(re_encoded(PHOTOGRAPHS[3]), features=np.eye(N + 1, 32)) == []


def test_every_photograph_is_counted_as_it_is_compared():
    done: list[int] = []
    empty = np.zeros((600, 784), np.float16), np.zeros(600, np.int64)
    features = np.random.default_rng(0).random((600, 4), np.float32)
    find_duplicates(features, [str(n) for n in range(600)], *empty, None, on_rows=done.append)
    assert sum(done) == 600
    assert len(done) > 1


@pytest.mark.parametrize("n_rows", [1, 5, 400])
def test_reduced_features_keep_the_cosines_of_centred_ones(n_rows):
    rng = np.random.default_rng(0)
    features = (rng.random((n_rows, 30)) + 3).astype(np.float32)
    reduced_features = reduce_features(features)
    centred = features - features.mean(axis=0)
    unit = centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-12)
    expected = unit @ unit.T
    np.testing.assert_allclose(reduced_features @ reduced_features.T, expected, atol=1e-4)
